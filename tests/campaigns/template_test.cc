#include "campaigns/template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "campaigns/template_run.h"

namespace posthorn {
namespace {

// One recipient with a bit of everything.
const std::vector<std::string> kColumns = {"name",  "city", "empty", "none",  "user",
                                           "items", "flag", "off",   "n",     "when",
                                           "evil",  "a.b",  "url",   "people"};
const TemplateValue kRow[] = {
    {"Ann", false},
    {"Zürich", false},
    {"", false},
    {{}, true},
    {R"({"name":"Bob","tags":["x","y"],"address":{"city":"Bonn","zip":null},"q":"a\"b\u00e9\ud83d\ude00"})",
     true},
    {R"([{"name":"tea","price":3},{"name":"milk","price":1,"city":"Graz"}])", true},
    {"yes", false},
    {"false", false},
    {"1234567.5", false},
    {"2026-04-02T09:05:00+02:00", false},
    {"<b>\"&'\r\n\x01", false},
    {"dotted", false},
    {"https://x.test/?a=1&b=2", false},
    {R"(["Ann","Bob"])", true},
};
const std::vector<TemplateConstant> kConstants = {{"company", "Acme & Sons", false},
                                                  {"city", "Vienna", false},
                                                  {"none2", "x", false},
                                                  {"plan", R"({"name":"pro"})", true}};
const std::vector<TemplateConstant> kReserved = {{"campaign.id", "spring", false}};
const std::vector<TemplatePartial> kPartials = {{"greet", "Hi {{name}}!\n"},
                                                {"lines", "one\n{{name}}\n"},
                                                {"self", "{{>self}}"},
                                                {"twice", "{{>twice}}{{>twice}}"},
                                                {"bad", "x\n {{#open}}"}};

struct Compiled {
    Program program;
    std::vector<CampaignError> faults;
};

Compiled compiled(std::string_view text, TemplateKind kind = TemplateKind::kText,
                  MissingPolicy missing = MissingPolicy::kEmpty) {
    const TemplateNames names{&kColumns, &kConstants, &kReserved, &kPartials};
    Compiled out;
    out.program = compile_template(text, kind, missing, names, {"/text", "mail.txt"}, out.faults);
    return out;
}

std::string run(const Program& program) {
    std::vector<TemplateValue> slots(kBuiltInCount);
    slots[static_cast<std::size_t>(BuiltIn::kUnsubscribeUrl)] = {"https://u.test/?a=1&t=x", false};
    slots[static_cast<std::size_t>(BuiltIn::kRecipientEmail)] = {"ann@x.test", false};
    slots.insert(slots.end(), std::begin(kRow), std::end(kRow));
    std::string out;
    TemplateScratch scratch;
    StringSink sink(program, out, 1u << 20);
    const RunOutcome outcome = run_program(program, slots, scratch, sink);
    if (outcome.state == RunState::kMissing) return "! " + program.names[outcome.name].tag;
    return outcome.state == RunState::kDone ? out : "! too long";
}

std::string rendered(std::string_view text, TemplateKind kind = TemplateKind::kText,
                     MissingPolicy missing = MissingPolicy::kEmpty) {
    const Compiled c = compiled(text, kind, missing);
    if (has_errors(c.faults)) return "! " + c.faults.front().message;
    return run(c.program);
}

struct Case {
    std::string_view text, expected;
};

TEST(Template, PrintsValues) {
    const Case cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"Hi {{name}}!", "Hi Ann!"},
        {"{{ name }}{{name}}", "AnnAnn"},
        {"{{{name}}} {{&name}} {{& name }}", "Ann Ann Ann"},
        {"[{{empty}}{{none}}]", "[]"},
        {"{{company}}", "Acme & Sons"},
        {"{{city}}", "Zürich"},
        {"{{user.name}} {{user.address.city}}", "Bob Bonn"},
        {"[{{user.address.zip}}{{user.nothing.more}}{{name.x}}]", "[]"},
        {"{{user.q}}", "a\"bé😀"},
        {"{{user.tags}}", "[\"x\",\"y\"]"},
        {"{{plan.name}}", "pro"},
        {"[{{a.b}}]", "[]"},
        {"{{campaign.id}} {{recipient.email}}", "spring ann@x.test"},
        {"{ {name} } }} {", "{ {name} } }} {"},
        {"a{{! a comment {{ }}b", "ab"},
        {"a{{!\n long\n}}b", "ab"},
        {"{{=<% %>=}}{{name}} <%name%><%={{ }}=%>{{name}}", "{{name}} AnnAnn"},
    };
    for (const Case& c : cases) EXPECT_EQ(rendered(c.text), c.expected) << c.text;
}

TEST(Template, SectionsFollowMustache) {
    const Case cases[] = {
        {"{{#flag}}a{{/flag}}{{^flag}}b{{/flag}}", "a"},
        {"{{#empty}}a{{/empty}}{{^empty}}b{{/empty}}", "b"},
        {"{{#off}}a{{/off}}{{^off}}b{{/off}}", "b"},
        {"{{#none}}a{{/none}}{{^none}}b{{/none}}", "b"},
        {"{{#items}}{{name}}={{price}};{{/items}}", "tea=3;milk=1;"},
        {"{{#items}}{{name}} in {{city}};{{/items}}", "tea in Zürich;milk in Graz;"},
        {"{{#people}}{{.}},{{/people}}", "Ann,Bob,"},
        {"{{#user}}{{name}} {{address.city}} {{flag}}{{/user}}", "Bob Bonn yes"},
        {"{{#user}}{{#address}}{{city}}{{name}}{{/address}}{{/user}}", "BonnBob"},
        {"{{#user}}[{{address.nothing}}]{{/user}}", "[]"},
        {"{{#user.tags}}<{{.}}>{{/user.tags}}", "<x><y>"},
        {"{{#items}}{{#people}}{{.}}{{/people}}/{{/items}}", "AnnBob/AnnBob/"},
        {"{{#flag}}{{city}}{{company}}{{/flag}}", "ZürichAcme & Sons"},
        {"{{#flag}}a{{#none}}b{{/none}}c{{/flag}}", "ac"},
    };
    for (const Case& c : cases) EXPECT_EQ(rendered(c.text), c.expected) << c.text;
}

TEST(Template, IfUnlessEachAndElse) {
    const Case cases[] = {
        {"{{#if flag}}a{{else}}b{{/if}}", "a"},
        {"{{#if none}}a{{else}}b{{/if}}", "b"},
        {"{{#if none}}a{{^}}b{{/if}}", "b"},
        {"{{#unless none}}a{{else}}b{{/unless}}", "a"},
        {"{{#each items}}{{name}},{{/each}}", "tea,milk,"},
        {"{{#each none}}a{{else}}b{{/each}}", "b"},
        {"{{#each people}}{{.}}{{else}}b{{/each}}c", "AnnBobc"},
        {"{{#each name}}a{{else}}no list{{/each}}", "no list"},
        {"{{#if user.address.zip}}a{{else}}b{{/if}}", "b"},
        {"{{#if company}}{{#if none}}a{{else}}{{#unless off}}c{{/unless}}{{/if}}{{/if}}", "c"},
        {"{{#each items}}{{#if city}}+{{else}}-{{/if}}{{/each}}", "++"},
        {"{{#each items}}{{#if price}}{{price}}{{/if}}{{/each}}", "31"},
    };
    for (const Case& c : cases) EXPECT_EQ(rendered(c.text), c.expected) << c.text;
}

TEST(Template, TagsAloneOnTheirLineTakeTheLineAway) {
    const Case cases[] = {
        {"a\n{{#flag}}\nb\n{{/flag}}\nc\n", "a\nb\nc\n"},
        {"a\r\n  {{#flag}}  \r\nb\r\n{{/flag}}\r\nc", "a\r\nb\r\nc"},
        {"{{#flag}}\nb\n{{/flag}}", "b\n"},
        {"a\n {{! x }}\nb", "a\nb"},
        {"a\n{{=<% %>=}}\n<%name%>", "a\nAnn"},
        {"a {{#flag}}\nb{{/flag}}", "a \nb"},
        {"{{#flag}} {{name}}\n{{/flag}}", " Ann\n"},
        {"  {{name}}  \n", "  Ann  \n"},
        {"{{>greet}}\nx", "Hi Ann!\nx"},
        {"  {{>lines}}\nx", "  one\n  Ann\nx"},
        {"a {{>greet}} b", "a Hi Ann!\n b"},
        {"{{#if none}}\na\n{{else}}\nb\n{{/if}}\nc", "b\nc"},
    };
    for (const Case& c : cases) EXPECT_EQ(rendered(c.text), c.expected) << c.text;
}

TEST(Template, Filters) {
    const Case cases[] = {
        {"{{none | default: \"there\"}}", "there"},
        {"{{empty|default:'it\\'s'}}", "it's"},
        {"{{name | default: \"there\"}}", "Ann"},
        {"{{nowhere | default: \"a|b}\"}}", "a|b}"},
        {"{{none | default: 5}}", "5"},
        {"{{city | upper}} {{city | lower}}", "ZÜRICH zürich"},
        {"{{company | title}} {{city | upper | title}}", "Acme & Sons Zürich"},
        {"{{none | default: \" x y \" | trim | upper}}", "X Y"},
        {"{{city | truncate: 4}}|{{city | truncate: 6}}", "Zür…|Zürich"},
        {"{{city | urlencode}}", "Z%C3%BCrich"},
        {"{{when | date: \"%A, %e %B %Y %H:%M\"}}", "Thursday, 2 April 2026 09:05"},
        {"{{when | date}} {{name | date: \"%Y\"}}", "2026-04-02 Ann"},
        {"{{none | default: 0 | date: \"%d.%m.%y\"}}", "01.01.70"},
        {"{{n | number}} {{n | number: 0}} {{n | number: 2}}",
         "1,234,567.5 1,234,568 1,234,567.50"},
        {"{{none | default: \"-9.995\" | number: 2}} {{name | number}}", "-10.00 Ann"},
        {"{{name | json}} {{user.tags | json}} {{none | json}}", "\"Ann\" [\"x\",\"y\"] null"},
        {"{{evil | json}}", "\"\\u003cb\\u003e\\\"\\u0026'\\u000d\\u000a\\u0001\""},
        {"{{user.name | upper}}", "BOB"},
        {"{{city | upper | trim | lower}}", "zürich"},
        {"{{city | lower | default: \"x\" | title | trim | upper | truncate: 4}}", "ZÜR…"},
    };
    for (const Case& c : cases) EXPECT_EQ(rendered(c.text), c.expected) << c.text;
}

TEST(Template, EscapesByWhereTheTagStands) {
    const Case cases[] = {
        {"<p>{{evil}}</p>", "<p>&lt;b&gt;&quot;&amp;&#39;\r\n </p>"},
        {"<p>{{{evil}}}</p>", "<p><b>\"&'\r\n </p>"},
        {"<p title=\"{{evil}}\">", "<p title=\"&lt;b&gt;&quot;&amp;&#39;\r\n \">"},
        {"<p title={{city}}{{evil}}>", "<p title=Zürich&lt;b&gt;&quot;&amp;&#39;&#13;&#10;&#32;>"},
        {"<p title={{none | default: 'a\u2028b\u00a0c'}}>", "<p title=a&#8232;b&#160;c>"},
        {"<a href=\"{{url}}\">", "<a href=\"https://x.test/?a=1&amp;b=2\">"},
        {"<a href='{{evil}}'>", "<a href='%3Cb%3E%22&amp;&#39;%0D%0A%20'>"},
        {"<a href=\"/x?c={{city}}&n={{url}}\">",
         "<a href=\"/x?c=Z%C3%BCrich&n=https%3A%2F%2Fx.test%2F%3Fa%3D1%26b%3D2\">"},
        {"<a href=\"{{url}}&n={{url}}\">",
         "<a href=\"https://x.test/?a=1&amp;b=2&n=https%3A%2F%2Fx.test%2F%3Fa%3D1%26b%3D2\">"},
        {"<a href=\"https://x.test/{{city}}/\">", "<a href=\"https://x.test/Z%C3%BCrich/\">"},
        {"<a href=\"x?q={{city | urlencode}}\">", "<a href=\"x?q=Z%C3%BCrich\">"},
        {"<a href=\"{{none | default: 'JavaScript:alert(1)'}}\">", "<a href=\"#\">"},
        {"<a href=\"{{none | default: ' java\\\nscript:x'}}\">", "<a href=\"#\">"},
        {"<a href=\"{{unsubscribe_url}}\">", "<a href=\"https://u.test/?a=1&amp;t=x\">"},
        {"<a href=\"x?u={{unsubscribe_url}}\">",
         "<a href=\"x?u=https%3A%2F%2Fu.test%2F%3Fa%3D1%26t%3Dx\">"},
        {"<a href=\"x?a=1\">{{company}}</a>", "<a href=\"x?a=1\">Acme &amp; Sons</a>"},
        {"<!-- \" <a href=\" -->{{company}}", "<!-- \" <a href=\" -->Acme &amp; Sons"},
        {"<!--[if mso]><a href=\"?{{city}}\"><![endif]-->{{company}}",
         "<!--[if mso]><a href=\"?Z%C3%BCrich\"><![endif]-->Acme &amp; Sons"},
        {"<a {{#if flag}}href=\"?{{else}}title=\"{{/if}}{{company}}\">",
         "<a href=\"?Acme &amp; Sons\">"},
        {"1 < 2 {{company}}", "1 < 2 Acme &amp; Sons"},
        {"<a data-x='?' href=\"{{city}}\">", "<a data-x='?' href=\"Z%C3%BCrich\">"},
        {"<p title=\"{{none | default: 'a\xff'}}\">", "! the template is not UTF-8"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(rendered(c.text, TemplateKind::kHtml), c.expected) << c.text;
    EXPECT_EQ(rendered("{{evil}}"), "<b>\"&'\r\n ");
    EXPECT_EQ(rendered("https://x/{{city}}?{{{city}}}", TemplateKind::kUrl),
              "https://x/Z%C3%BCrich?Zürich");
}

TEST(Template, FaultsSayWhereAndWhatToDo) {
    using Code = CampaignErrorCode;
    const struct {
        std::string_view text;
        Code code;
        std::uint32_t line, column;
        std::string_view message;
    } cases[] = {
        {"a\n {{name", Code::kTemplateSyntax, 2, 2, "the tag is not closed"},
        {"é{{}}", Code::kTemplateSyntax, 1, 2, "the tag has no name"},
        {"{{ a b(c) }}", Code::kTemplateSyntax, 1, 1, "'a b(c)' is not a name"},
        {"{{name | uper}}", Code::kTemplateUnknownFilter, 1, 1, "there is no filter 'uper'"},
        {"{{name | truncate}}", Code::kTemplateSyntax, 1, 1,
         "truncate needs a number of characters: truncate: 20"},
        {"{{name | default}}", Code::kTemplateSyntax, 1, 1,
         "default needs a value: default: \"there\""},
        {"{{name | default: x}}", Code::kTemplateSyntax, 1, 1,
         "the value behind 'default:' is neither in quotes nor a number"},
        {"{{name | upper: 2}}", Code::kTemplateSyntax, 1, 1, "this filter takes no value"},
        {"{{nme}}", Code::kTemplateUnknownVar, 1, 1, "no column or variable is called 'nme'"},
        {"{{#if a}}\n{{else}}{{else}}{{/if}}", Code::kTemplateSyntax, 2, 9,
         "{{else}} stands outside a section"},
        {"{{#flag}}", Code::kTemplateSyntax, 1, 1, "{{#flag}} is never closed"},
        {"{{/flag}}", Code::kTemplateSyntax, 1, 1, "{{/flag}} closes nothing"},
        {"{{#if flag}}{{/flag}}", Code::kTemplateSyntax, 1, 13,
         "{{/flag}} where {{/if}} is expected"},
        {"{{.}}", Code::kTemplateSyntax, 1, 1, "{{.}} stands outside a section"},
        {"{{#if flag | upper}}{{/if}}", Code::kTemplateSyntax, 1, 1,
         "a section takes a name without filters"},
        {"{{>nobody}}", Code::kTemplateSyntax, 1, 1, "there is no partial 'nobody'"},
        {"{{>bad}}", Code::kTemplateSyntax, 2, 2, "partial 'bad': {{#open}} is never closed"},
        {"{{=x=}}", Code::kTemplateSyntax, 1, 1, "delimiters are written {{=<% %>=}}"},
    };
    for (const auto& c : cases) {
        const Compiled result = compiled(c.text, TemplateKind::kText, MissingPolicy::kError);
        const CampaignError* error = nullptr;
        for (const CampaignError& fault : result.faults)
            if (error == nullptr && fault.severity == Severity::kError) error = &fault;
        ASSERT_NE(error, nullptr) << c.text;
        EXPECT_EQ(name_of(error->code), name_of(c.code)) << c.text;
        EXPECT_EQ(error->line, c.line) << c.text;
        EXPECT_EQ(error->column, c.column) << c.text;
        EXPECT_EQ(error->message, c.message);
        EXPECT_EQ(error->file, "mail.txt");
        EXPECT_EQ(error->path, "/text");
    }
    EXPECT_EQ(compiled("{{nme}}").faults.at(0).hint, "did you mean 'name'?");
    EXPECT_EQ(compiled("{{a.b}}").faults.at(0).hint,
              "a dot looks inside a variable: give the column a name without one");
}

TEST(Template, AllFaultsAreReportedAtOnce) {
    EXPECT_EQ(compiled("{{nme}} {{name | uper}} {{#if flag}}").faults.size(), 3u);
}

TEST(Template, PartialsWithoutEndAreRefused) {
    EXPECT_TRUE(has_errors(compiled("{{>self}}").faults));
    EXPECT_TRUE(has_errors(compiled("{{>twice}}").faults));
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "{{#if flag}}";
    EXPECT_TRUE(has_errors(compiled(deep).faults));
}

TEST(Template, WhatAMissingValueDoesIsChosen) {
    const auto with = [](MissingPolicy missing, std::string_view text) {
        return rendered(text, TemplateKind::kText, missing);
    };
    EXPECT_EQ(with(MissingPolicy::kError, "{{none}}"), "! {{none}}");
    EXPECT_EQ(with(MissingPolicy::kError, "{{user.address.zip}}"), "! {{user.address.zip}}");
    EXPECT_EQ(with(MissingPolicy::kError, "{{none | default: \"x\"}}{{empty}}"), "x");
    EXPECT_EQ(with(MissingPolicy::kError, "{{nowhere}}"),
              "! no column or variable is called 'nowhere'");
    EXPECT_EQ(with(MissingPolicy::kEmpty, "a{{none}}{{nowhere}}b"), "ab");
    EXPECT_EQ(with(MissingPolicy::kKeep, "a{{ none }}{{nowhere}}b"), "a{{none}}{{nowhere}}b");
}

TEST(Template, ConstantsFoldIntoTheText) {
    EXPECT_TRUE(
        compiled("a {{company}} {{company | upper}} {{campaign.id}}").program.is_constant());
    EXPECT_FALSE(compiled("a {{name}}").program.is_constant());
    EXPECT_TRUE(compiled("{{unsubscribe_url}}").program.uses(BuiltIn::kUnsubscribeUrl));
    EXPECT_TRUE(compiled("{{campaign.id}}").program.uses_reserved("campaign.id"));
}

TEST(Template, SectionsInsideSectionsAreBounded) {
    std::string list = "[0";
    for (int i = 0; i < 200; ++i) list += ",1";
    const std::vector<std::string> columns = {"l"};
    const TemplateNames names{&columns, nullptr, nullptr, nullptr};
    std::vector<CampaignError> faults;
    const Program program = compile_template(
        "{{#each l}}{{#each l}}{{#each l}}{{#each l}}{{/each}}{{/each}}{{/each}}{{/each}}",
        TemplateKind::kText, MissingPolicy::kEmpty, names, {"", ""}, faults);
    ASSERT_FALSE(has_errors(faults));
    list += "]";
    std::vector<TemplateValue> slots(kBuiltInCount + 1);
    slots.back() = {list, true};
    std::string out;
    TemplateScratch scratch;
    StringSink sink(program, out, 100);
    EXPECT_EQ(run_program(program, slots, scratch, sink).state, RunState::kTooLong);
}

TEST(TemplateValue, BrokenJsonIsMissingAndHarmless) {
    for (std::string_view json :
         {"{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":{", "[1", "[,", "{1:2}", "{\"a\" 1}", "\\",
          "[\"\\", "\"\\u12", "{\"a\":\"\\ud800\"}"}) {
        const TemplateValue value{json, true};
        std::string scratch;
        printed(value, scratch);
        is_true(value);
        member_of(value, "b");
        printed(member_of(value, "a"), scratch);
        ListElements elements(value);
        TemplateValue element;
        for (int i = 0; i < 10 && elements.next(element); ++i) EXPECT_LT(i, 3);
    }
}

}  // namespace
}  // namespace posthorn
