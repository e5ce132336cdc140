// What the core of the Mustache specification says, rule by rule; and its published cases, where
// POSTHORN_MUSTACHE_SPEC names the directory of their JSON files (specs/ of the specification).
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/campaigns/mustache_fixture.h"

namespace posthorn {
namespace {

using testing_mustache::rendered;

struct Case {
    std::string_view text;
    std::string json;
    std::string expected;
    std::string partials = "{}";
};

template <std::size_t count>
void expect_all(const Case (&cases)[count]) {
    for (const Case& c : cases)
        EXPECT_EQ(rendered(c.text, c.json, c.partials), c.expected)
            << c.text << " of " << c.json << " with " << c.partials;
}

TEST(Mustache, CommentsLeaveNothingBehind) {
    expect_all({
        {"a{{! any }}b", "{}", "ab"},
        {"a{{!\n over\n lines }}b\n", "{}", "ab\n"},
        {"a {{! kept blanks }} b", "{}", "a  b"},
        {"a\n{{! alone }}\nb\n", "{}", "a\nb\n"},
        {"a\n \t{{! alone, indented }}\nb\n", "{}", "a\nb\n"},
        {"a\r\n{{! alone }}\r\nb", "{}", "a\r\nb"},
        {"  {{! first line }}\nb", "{}", "b"},
        {"a\n  {{! last line }}", "{}", "a\n"},
        {"a\n  {{!\n  many\n  }}\nb", "{}", "a\nb"},
        {"  12 {{! 34 }}\n", "{}", "  12 \n"},
        {">{{! comment }}<", R"({"! comment":1,"!comment":2,"comment":3})", "><"},
    });
}

TEST(Mustache, DelimitersChangeForWhatFollows) {
    expect_all({
        {"{{=<% %>=}}(<%x%>)", R"({"x":"Hey"})", "(Hey)"},
        {"({{=[ ]=}}[x])", R"({"x":"Hey"})", "(Hey)"},
        {"{{= | | =}}|x|", R"({"x":1})", "1"},
        {"[{{#s}}{{x}}|x|{{/s}}{{= | | =}}|#s|{{x}}|x||/s|]", R"({"s":true,"x":"d"})",
         "[d|x|{{x}}d]"},
        {"[{{^s}}{{x}}|x|{{/s}}{{= | | =}}|^s|{{x}}|x||/s|]", R"({"s":false,"x":"d"})",
         "[d|x|{{x}}d]"},
        {"[{{>p}}{{= | | =}}|>p|]", R"({"v":"yes"})", "[.yes..yes.]", R"({"p":".{{v}}."})"},
        {"[{{>p}}][.{{v}}. .|v|.]", R"({"v":"yes"})", "[.yes. .yes.][.yes. .|v|.]",
         R"({"p":".{{v}}. {{= | | =}}.|v|."})"},
        {"| {{=@ @=}} |", "{}", "|  |"},
        {" | {{=@ @=}}\n", "{}", " | \n"},
        {"a\n{{=@ @=}}\nb\n", "{}", "a\nb\n"},
        {"a\n  {{=@ @=}}\nb\n", "{}", "a\nb\n"},
        {"|\r\n{{= @ @ =}}\r\n|", "{}", "|\r\n|"},
        {"  {{=@ @=}}\n=", "{}", "="},
        {"=\n  {{=@ @=}}", "{}", "=\n"},
        {"|{{=   @   @   =}}|", "{}", "||"},
        {"{{=| |=}}|&x|{{{x}}}", R"({"x":"<"})", "<{{{x}}}"},
    });
}

TEST(Mustache, ValuesArePrintedAndEscaped) {
    expect_all({
        {"no {tags} }} here {\n", "{}", "no {tags} }} here {\n"},
        {"Hello, {{x}}!", R"({"x":"world"})", "Hello, world!"},
        {"{{t}}: {{x}}", R"({"t":"{{x}}","x":"Earth"})", "{{x}}: Earth"},
        {"{{x}} {{{x}}} {{&x}}", R"({"x":"& \" < >"})", "&amp; &quot; &lt; &gt; & \" < > & \" < >"},
        {"{{x}} {{{x}}} {{&x}}", R"({"x":85})", "85 85 85"},
        {"{{x}} {{{x}}} {{&x}}", R"({"x":1.21})", "1.21 1.21 1.21"},
        {"({{x}}{{{x}}}{{&x}})", R"({"x":null})", "()"},
        {"({{x}}{{{x}}}{{&x}})", "{}", "()"},
        {"| {{x}} | {{{x}}} | {{&x}} |", R"({"x":"---"})", "| --- | --- | --- |"},
        {"  {{x}}\n  {{{x}}}\n  {{&x}}\n", R"({"x":"---"})", "  ---\n  ---\n  ---\n"},
        {"|{{ x }}|{{{ x }}}|{{& x }}|", R"({"x":"-"})", "|-|-|-|"},
        {"{{.}}", R"("world")", "world"},
        {"{{.}} {{{.}}} {{&.}}", R"("& \" < >")", "&amp; &quot; &lt; &gt; & \" < > & \" < >"},
        {"{{.}}", "85", "85"},
    });
}

TEST(Mustache, DottedNamesLookInside) {
    expect_all({
        {"{{p.n}} {{{p.n}}} {{&p.n}} {{#p}}{{n}}{{/p}}", R"({"p":{"n":"Joe"}})", "Joe Joe Joe Joe"},
        {"{{a.b.c.d.e}}", R"({"a":{"b":{"c":{"d":{"e":"Phil"}}}}})", "Phil"},
        {"({{a.b.c}})", R"({"a":{}})", "()"},
        {"({{a.b.c.n}})", R"({"a":{"b":{}},"c":{"n":"Jim"}})", "()"},
        {"{{#a}}{{b.c.n}}{{/a}}", R"({"a":{"b":{"c":{"n":"P"}}},"b":{"c":{"n":"wrong"}}})", "P"},
        {"({{#a}}{{b.c}}{{/a}})", R"({"a":{"b":{}},"b":{"c":"wrong"}})", "()"},
        {"({{a.b}})", R"({"a.b":"c"})", "()"},
        {"({{a.b}})", R"({"a.b":"c","a":{"b":"d"}})", "(d)"},
    });
}

TEST(Mustache, SectionsShowWhatIsTrueAndGoThroughLists) {
    expect_all({
        {"({{#b}}yes{{/b}})", R"({"b":true})", "(yes)"},
        {"({{#b}}yes{{/b}})", R"({"b":false})", "()"},
        {"({{#b}}yes{{/b}})", R"({"b":null})", "()"},
        {"({{#b}}yes{{/b}})", "{}", "()"},
        {"{{#c}}Hi {{name}}.{{/c}}", R"({"c":{"name":"Joe"}})", "Hi Joe."},
        {"{{#s}}{{a}}, {{b}}, {{c.d}}{{/s}}",
         R"({"a":"foo","b":"wrong","s":{"b":"bar"},"c":{"d":"baz"}})", "foo, bar, baz"},
        {"{{#f}}{{.}} is {{f}}{{/f}}", R"({"f":"bar"})", "bar is bar"},
        {"{{#t}}{{#m}}{{n.l}}{{k}}.{{#o}}{{n.u}}{{k}}{{w}}.{{/o}}{{/m}}{{/t}}",
         R"({"t":[{"n":{"u":"A","l":"a"},"m":[{"k":"1","o":[{"w":"x"},{"w":"y"}]}]}]})",
         "a1.A1x.A1y."},
        {"{{#a}}{{1}}{{#b}}{{1}}{{2}}{{#c}}{{1}}{{2}}{{.}}{{/c}}{{1}}{{/b}}{{/a}}",
         R"({"a":{"1":"x"},"b":{"2":"y","c":"z"}})", "xxyxyzx"},
        {"{{#l}}{{i}}{{/l}}", R"({"l":[{"i":1},{"i":2},{"i":3}]})", "123"},
        {"({{#l}}x{{/l}})", R"({"l":[]})", "()"},
        {"{{#b}}\n1\n{{/b}}\n2\n{{#b}}\n3\n{{/b}}\n", R"({"b":true})", "1\n2\n3\n"},
        {"A{{#b}}B{{#b}}C{{/b}}D{{/b}}E", R"({"b":true})", "ABCDE"},
        {"A{{#b}}B{{#b}}C{{/b}}D{{/b}}E", R"({"b":false})", "AE"},
        {"{{#l}}({{.}}){{/l}}", R"({"l":["a",1,2.5]})", "(a)(1)(2.5)"},
        {"{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", R"({"l":[[1,2],["a","b"]]})", "(12)(ab)"},
        {"{{#l}}({{.}}{{{.}}}{{&.}}){{/l}}", R"({"l":["<","&"]})", "(&lt;<<)(&amp;&&)"},
        {"{{#.}}({{v}}){{/.}}", R"([{"v":"a"},{"v":"b"}])", "(a)(b)"},
        {"{{#a.b.c}}Here{{/a.b.c}}", R"({"a":{"b":{"c":true}}})", "Here"},
        {"({{#a.b.c}}Here{{/a.b.c}})", R"({"a":{"b":{"c":false}}})", "()"},
        {"({{#a.b.c}}Here{{/a.b.c}})", R"({"a":{}})", "()"},
    });
}

TEST(Mustache, InvertedSectionsShowWhatIsNot) {
    expect_all({
        {"({{^b}}no{{/b}})", R"({"b":false})", "(no)"},
        {"({{^b}}no{{/b}})", R"({"b":null})", "(no)"},
        {"({{^b}}no{{/b}})", R"({"b":true})", "()"},
        {"({{^b}}no{{/b}})", R"({"b":{"n":1}})", "()"},
        {"({{^b}}no{{/b}})", R"({"b":[{"n":1}]})", "()"},
        {"({{^b}}no{{/b}})", R"({"b":[]})", "(no)"},
        {"({{^b}}no{{/b}})", "{}", "(no)"},
        {"{{^b}}\n1\n{{/b}}\n2\n{{^b}}\n3\n{{/b}}\n", R"({"b":false})", "1\n2\n3\n"},
        {"A{{^b}}B{{^b}}C{{/b}}D{{/b}}E", R"({"b":false})", "ABCDE"},
        {"A{{^b}}B{{^b}}C{{/b}}D{{/b}}E", R"({"b":true})", "AE"},
        {"({{^a.b.c}}no{{/a.b.c}})", R"({"a":{"b":{"c":true}}})", "()"},
        {"({{^a.b.c}}no{{/a.b.c}})", R"({"a":{"b":{"c":false}}})", "(no)"},
        {"({{^a.b.c}}no{{/a.b.c}})", R"({"a":{}})", "(no)"},
    });
}

TEST(Mustache, SectionsAloneOnTheirLineTakeItAway) {
    for (const std::string sigil : {"#", "^"}) {
        const std::string open = "{{" + sigil + "b}}", close = "{{/b}}";
        const std::string json = sigil == "#" ? R"({"b":true})" : R"({"b":false})";
        const std::pair<std::string, std::string> cases[] = {
            {" | " + open + "\t|\t" + close + " | \n", " | \t|\t | \n"},
            {" | " + open + " {{! kept }}\n " + close + " | \n", " |  \n  | \n"},
            {" " + open + "1" + close + "\n " + open + "2" + close + "\n", " 1\n 2\n"},
            {"a\n" + open + "\n|\n" + close + "\nb\n", "a\n|\nb\n"},
            {"a\n  " + open + "\n|\n\t" + close + "\nb\n", "a\n|\nb\n"},
            {"|\r\n" + open + "\r\n" + close + "\r\n|", "|\r\n|"},
            {"  " + open + "\n#" + close + "\n/", "#\n/"},
            {"#" + open + "\n/\n  " + close, "#\n/\n"},
            {"|{{" + sigil + " b }}={{/ b }}|", "|=|"},
        };
        for (const auto& [text, expected] : cases)
            EXPECT_EQ(rendered(text, json), expected) << text;
    }
}

TEST(Mustache, PartialsStandForTheirText) {
    expect_all({
        {"({{>p}})", "{}", "(from it)", R"({"p":"from it"})"},
        {"({{>p}})", "{}", "()"},
        {"({{>p}})", R"({"x":"content"})", "(*content*)", R"({"p":"*{{x}}*"})"},
        {"{{>o}}", R"({"a":"hello","b":"world"})", "*hello world!*",
         R"({"o":"*{{a}} {{>i}}*","i":"{{b}}!"})"},
        {"| {{>p}} |", "{}", "| \t|\t |", R"({"p":"\t|\t"})"},
        {"  {{x}}  {{> p}}\n", R"({"x":"|"})", "  |  >\n>\n", R"({"p":">\n>"})"},
        {"|\r\n{{>p}}\r\n|", "{}", "|\r\n>|", R"({"p":">"})"},
        {"  {{>p}}\n>", "{}", "  >\n  >>", R"({"p":">\n>"})"},
        {">\n  {{>p}}", "{}", ">\n  >\n  >", R"({"p":">\n>"})"},
        {"\\\n {{>p}}\n/\n", R"({"x":"<\n->"})", "\\\n |\n <\n->\n |\n/\n",
         R"({"p":"|\n{{{x}}}\n|\n"})"},
        {"|{{> p }}|", "{}", "|[]|", R"({"p":"[]"})"},
    });
}

TEST(Mustache, PartialsIncludeThemselvesAsDeepAsTheDataGoes) {
    expect_all({
        {"{{>n}}", R"({"c":"X","n":[{"c":"Y","n":[]}]})", "X<Y<>>",
         R"({"n":"{{c}}<{{#n}}{{>n}}{{/n}}>"})"},
        {"{{>n}}.", R"({"c":1,"n":[{"c":2,"n":[{"c":3,"n":[]}]},{"c":4,"n":[]}]})", "1(2(3)4).",
         R"({"n":"{{c}}{{#n.0}}{{/n.0}}{{#if n}}({{#n}}{{>n}}{{/n}}){{/if}}"})"},
        {"{{>n}}", R"({"c":1,"n":[{"c":2,"n":[{"c":3,"n":[]}]}]})", "- 1\n  - 2\n    - 3\n",
         R"({"n":"- {{c}}\n{{#n}}\n  {{>n}}\n{{/n}}\n"})"},
        {"<p title=\"{{>n}}\">{{>n}}", R"({"c":"&","n":[{"c":"<","n":[]}]})",
         "<p title=\"&amp;&lt;\">&amp;&lt;", R"({"n":"{{c}}{{#n}}{{>n}}{{/n}}"})"},
        {"{{>a}}", R"({"x":{"x":{"x":false}}})", "abab",
         R"({"a":"a{{#x}}{{>b}}{{/x}}","b":"b{{#x}}{{>a}}b{{/x}}"})"},
        {"{{>n}}", R"({"n":[{"c":1}]})", "! too deep", R"({"n":"{{#n}}{{>n}}{{/n}}"})"},
        {"{{>n}}", "{}", "! partial 'n': the partial includes itself without end",
         R"({"n":"{{>n}}"})"},
        {"{{>n}}", R"({"n":[]})",
         "! the partial 'n' includes itself and ends inside a tag or attribute that it did not "
         "begin in",
         R"({"n":"<a href=\"{{#n}}{{>n}}{{/n}}"})"},
    });
}

// A nested node without nodes of its own finds its parent's: bounded, however the tree branches.
TEST(Mustache, EndlessRecursionIsBounded) {
    EXPECT_EQ(rendered("{{>n}}", R"({"n":[1,2,3,4]})", R"({"n":"{{#n}}{{>n}}{{>n}}{{/n}}"})"),
              "! too deep");
    EXPECT_EQ(rendered("{{>n}}", R"({"n":[1]})", R"({"n":"{{#n}}\n {{>n}}\n\t{{>n}}\n{{/n}}"})"),
              "! partial 'n': the template includes over 1000 partials");
}

TEST(Mustache, FaultsOfPartialsNameTheirFileAndPlace) {
    std::vector<CampaignError> faults;
    rendered("<p>\n  {{> p}}\n</p>", nlohmann::ordered_json::object(),
             {{"p", "one\ntwo {{x | nofilter}}"}}, MissingPolicy::kEmpty, faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].file, "p.mustache");
    EXPECT_EQ(faults[0].line, 2u);
    EXPECT_EQ(faults[0].column, 5u);
}

TEST(Mustache, AMissingPartialIsAnErrorWhereAMissingValueIs) {
    const nlohmann::json partials = {{"footer", "x"}};
    std::vector<CampaignError> faults;
    EXPECT_EQ(rendered("({{>foter}})", nlohmann::ordered_json::object(), partials,
                       MissingPolicy::kError, faults),
              "! there is no partial 'foter'");
    EXPECT_EQ(faults[0].hint, "did you mean 'footer'?");
    faults.clear();
    EXPECT_EQ(rendered("({{>foter}})", nlohmann::ordered_json::object(), partials,
                       MissingPolicy::kKeep, faults),
              "({{>foter}})");
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].severity, Severity::kWarning);
}

TEST(Mustache, PublishedCasesRenderAsPublished) {
    const char* const directory = std::getenv("POSTHORN_MUSTACHE_SPEC");
    if (directory == nullptr) GTEST_SKIP() << "POSTHORN_MUSTACHE_SPEC names no directory";
    std::size_t count = 0;
    for (const char* name :
         {"comments", "delimiters", "interpolation", "inverted", "partials", "sections"}) {
        std::ifstream in(std::filesystem::path(directory) / (std::string(name) + ".json"));
        const auto spec = nlohmann::ordered_json::parse(in, nullptr, false);
        ASSERT_TRUE(spec.is_object()) << name;
        for (const auto& test : spec["tests"]) {
            std::vector<CampaignError> faults;
            const std::string out =
                rendered(test["template"].get<std::string>(), test["data"],
                         nlohmann::json(test.value("partials", nlohmann::ordered_json::object())),
                         MissingPolicy::kEmpty, faults);
            EXPECT_EQ(out, test["expected"].get<std::string>()) << name << ": " << test["name"];
            ++count;
        }
    }
    RecordProperty("cases", static_cast<int>(count));
    EXPECT_GE(count, 100u);
}

}  // namespace
}  // namespace posthorn
