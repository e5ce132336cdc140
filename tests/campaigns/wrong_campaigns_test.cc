// Campaigns that must not be sent, each with one mistake: the check names it and its place. § marks
// the place and is no part of the file.
#include <gmock/gmock.h>

#include "campaigns/check.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

struct Wrong {
    std::string code;     // "template_syntax /subject"
    std::string members;  // in place of, or beside, those of a sound campaign
    std::string list = "email,first_name,city\nann@x.test,Ann,Graz\n";
};

class WrongCampaignsTest : public ListFixture {
  protected:
    // The errors of a campaign that is sound but for the members given.
    std::vector<std::string> errors_of(const Wrong& wrong, std::string& place) {
        const std::pair<const char*, const char*> sound[] = {
            {"from", R"("news@acme.test")"},
            {"return_path", R"("b@acme.test")"},
            {"subject", R"("Hello")"},
            {"text", R"("Hello")"},
            {"recipients", R"({"file": "list.csv"})"},
            {"compliance", R"({"physical_address": "Acme, 1 Main St", "unsubscribe":
              {"url": "https://u.acme.test/{{unsubscribe_token}}"}})"}};
        std::string text = "{\n" + wrong.members;
        for (const auto& [key, value] : sound)
            if (wrong.members.find("\"" + std::string(key) + "\":") == std::string::npos)
                text += std::string(",\n\"") + key + "\": " + value;
        text += "\n}\n";
        const std::size_t mark = text.find("§");
        place.clear();
        if (mark != std::string::npos) {
            const std::string before = text.substr(0, mark);
            place = std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ":" +
                    std::to_string(mark - (before.rfind('\n') + 1) + 1);
            text.erase(mark, std::string_view("§").size());
        }
        file("list.csv", wrong.list);
        file("campaign.json", text);
        found_at_.clear();
        std::vector<std::string> out;
        for (const CampaignError& error : check_campaign_file(path("campaign.json"), {}).errors) {
            if (error.severity != Severity::kError) continue;
            out.push_back(std::string(name_of(error.code)) + " " + error.path);
            found_at_ = std::to_string(error.line) + ":" + std::to_string(error.column);
        }
        return out;
    }

    std::string found_at_;  // of the last error
};

const Wrong kWrong[] = {
    // Templates, wherever they stand.
    {"template_syntax /subject", R"("subject": "Hi §{{first_name")"},
    {"template_syntax /subject", R"("subject": "Hi §{{first_name}")"},
    {"template_syntax /subject", R"("subject": "§{{}}")"},
    {"template_syntax /subject", R"("subject": "§{{#first_name}}x")"},
    {"template_syntax /subject", R"("subject": "x§{{/first_name}}")"},
    {"template_syntax /subject", R"("subject": "{{#if city}}x§{{/city}}")"},
    {"template_syntax /subject", R"("subject": "x§{{else}}y")"},
    {"template_syntax /subject", R"("subject": "§{{.}}")"},
    {"template_syntax /subject", R"("subject": "§{{>header}}")"},
    {"template_syntax /subject", R"("subject": "§{{=x=}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | truncate}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | truncate: \"x\"}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | default}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | default: there}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | default: \"there}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | number: 40}}")"},
    {"template_syntax /subject", R"("subject": "§{{first_name | upper: 2}}")"},
    {"template_syntax /subject", R"("subject": "§{{upper(first_name)}}")"},
    {"template_syntax /subject", R"("subject": "§{{#if city | upper}}x{{/if}}")"},
    {"template_unknown_filter /subject", R"("subject": "\u00e4 §{{first_name | uper}}")"},
    {"template_unknown_filter /subject", R"("subject": "§{{first_name | money}}")"},
    {"template_unknown_filter /subject", R"("subject": "§{{first_name || upper}}")"},
    {"template_unknown_var /subject", R"("subject": "Hi §{{firstname}}")"},
    {"template_unknown_var /subject", R"("subject": "Hi §{{email}}")"},
    {"template_unknown_var /subject", R"("subject": "Hi §{{address.city}}")"},
    {"template_unknown_var /subject", R"("subject": "Hi §{{recipient.phone}}")"},
    {"template_unknown_var /subject", R"("subject": "Hi §{{FIRST_NAME}}")"},
    {"template_unknown_var /to_name", R"("to_name": "§{{nme}}")"},
    {"template_syntax /to_name", R"("to_name": "§{{first_name")"},
    {"template_unknown_var /preheader", R"("html": "<p>x", "preheader": "News for §{{town}}")"},
    {"template_unknown_var /html", R"("html": "<p>Hi</p>\n<p>§{{town}}</p>")"},
    {"template_syntax /html", R"("html": "<ul>\n{{#each city}}\n<li>x</li>\n§{{/if}}")"},
    {"template_syntax /html", R"("html": "{{#unless city}}x§{{/unles}}")"},
    {"template_unknown_var /text", R"("text": "line one\nline two §{{town}}\n")"},
    {"template_syntax /text", R"("text": "\t\"quoted\" §{{#city}} never closed")"},
    {"template_unknown_var /headers/X-A", R"("headers": {"X-A": "§{{town}}"})"},
    {"template_syntax /headers/X-A", R"("headers": {"X-A": "a §{{>b}}"})"},
    {"template_unknown_var /compliance/unsubscribe/url",
     R"("compliance": {"physical_address": "Acme", "unsubscribe":
        {"url": "https://u.acme.test/§{{token}}"}})"},
    {"template_syntax /compliance/unsubscribe/url",
     R"("compliance": {"physical_address": "Acme", "unsubscribe":
        {"url": §"https://u.acme.test/{{unsubscribe_url}}"}})"},
    // Values that rows lack.
    {"template_unknown_var /recipients",
     R"("recipients": §{"file": "list.csv"}, "text": "{{city}}")", "email,city\nann@x.test\n"},
    {"template_unknown_var /recipients",
     R"("recipients": §[{"email": "a@x.test", "vars": {"a": null}}],
     "text": "{{a}}")"},
    {"template_unknown_var /recipients",
     R"("recipients": §[{"email": "a@x.test", "vars": {"a": {"b": 1}}}], "text": "{{a.c}}")"},
    {"message_too_big /recipients", R"("recipients": §{"file": "list.csv"}, "subject": "{{city}}")",
     "email,city\nann@x.test," + std::string(9000, 'x') + "\n"},
    // What readers and the law would hold against the message.
    {"compliance_subject /subject", R"("subject": §"Re: your order")"},
    {"compliance_subject /subject", R"("subject": §"{{city}}: news")",
     "email,city\nann@x.test,FWD\n"},
    {"link_broken /html", R"("html": §"<a href=\"/shop\">Shop</a>")"},
    {"link_broken /html", R"("html": §"<a href=\"www.acme.test\">Shop</a>")"},
    {"link_broken /html", R"("html": §"<a href=\"{{city}}\">Shop</a>")"},
    {"attachment_missing /html", R"("html": §"<p>x</p><img alt=\"\" src=\"cid:logo\">")"},
    {"compliance_unsubscribe /html",
     R"("html": §"<p>x</p>{{#if no}}<a href=\"{{unsubscribe_url}}\">out</a>{{/if}}",
        "vars": {"no": false}, "text": "x")"},
    {"compliance_address /text", R"("text": §"x {{#if no}}{{physical_address}}{{/if}}",
        "vars": {"no": false})"},
    {"compliance_unsubscribe /text",
     R"("text": §"x {{physical_address}}", "compliance": {"physical_address": "Acme",
        "footer": "require", "unsubscribe": {"mailto": "u@acme.test"}})"},
    // Lists.
    {"list_columns /recipients/file", R"("recipients": {"file": "list.csv"})", "mail\na@x.test\n"},
    {"list_columns /recipients/file", R"("recipients": {"file": "list.csv"})", ""},
    {"list_columns /recipients/file",
     R"("recipients": {"file": "list.csv", "columns": {"email": "E-mail"}})"},
    {"too_many_invalid /recipients", R"("recipients": §{"file": "list.csv"})",
     "email\nann@x.test\nnobody\n@x.test\n"},
    {"recipients_empty /recipients", R"("recipients": §{"file": "list.csv"})", "email\n"},
};

TEST_F(WrongCampaignsTest, EachGivesItsErrorAtItsPlace) {
    for (const Wrong& wrong : kWrong) {
        std::string place;
        const std::vector<std::string> errors = errors_of(wrong, place);
        EXPECT_THAT(errors, ::testing::ElementsAre(wrong.code)) << wrong.members;
        if (place.empty()) continue;
        EXPECT_EQ(found_at_, place) << wrong.members;
    }
}

}  // namespace
}  // namespace posthorn
