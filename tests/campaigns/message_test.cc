#include "campaigns/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/campaigns/message_fixture.h"

namespace posthorn {
namespace {

using testing_message::compiled;
using testing_message::html_content;
using testing_message::plain_content;
using testing_message::rendered;
using testing_message::request_for;
using testing_message::row_of;
using testing_message::test_keys;

std::string header_of(const std::string& message, const std::string& name) {
    const std::string head = "\r\n" + message.substr(0, message.find("\r\n\r\n") + 2);
    std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "(none)";
    at += name.size() + 4;
    std::string value;
    for (;; ++at) {
        const std::size_t end = head.find("\r\n", at);
        value += head.substr(at, end - at);
        if (head[end + 2] != ' ') return value;
        at = end + 1;
    }
}

std::vector<std::string> codes_of(const MessageContent& content) {
    std::vector<std::string> codes;
    for (const CampaignError& problem : compile_content(content, nullptr).problems)
        codes.push_back(problem.path + " " + std::string(name_of(problem.code)));
    return codes;
}

TEST(Message, IsExactlyThis) {
    const RenderedMessage message =
        rendered(plain_content(), row_of("Ann@B.test", "Ann Lee", {"Ann", "Graz"}));
    const std::string token =
        test_keys().seal(TokenPurpose::kUnsubscribe, "spring-2026", "Ann@b.test");
    std::string id = header_of(message.bytes, "Message-ID");
    EXPECT_EQ(message.bytes,
              "Date: Thu, 02 Apr 2026 07:00:00 +0000\r\n"
              "From: Acme <news@acme.test>\r\n"
              "To: Ann Lee <Ann@b.test>\r\n"
              "Subject: Hi Ann\r\n"
              "Message-ID: " +
                  id +
                  "\r\n"
                  "List-Unsubscribe: <https://u.acme.test/u/" +
                  token +
                  ">,\r\n"
                  " <mailto:unsub@acme.test?subject=unsubscribe%20" +
                  token +
                  ">\r\n"
                  "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
                  "List-Id: <spring-2026.acme.test>\r\n"
                  "Feedback-ID: spring-2026:none:marketing:acme.test\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 7bit\r\n"
                  "\r\n"
                  "Dear Ann,\r\nbye\r\n"
                  "\r\n-- \r\n"
                  "Acme, 1 Main St, Springfield\r\n"
                  "Unsubscribe: https://u.acme.test/u/" +
                  token + "\r\n");
    EXPECT_EQ(message.envelope_from, "news@acme.test");
    EXPECT_EQ(message.envelope_to, "Ann@b.test");
    EXPECT_FALSE(message.smtputf8);
    EXPECT_FALSE(message.eight_bit);
}

TEST(Message, TheSameRequestGivesTheSameBytesAndAnotherRecipientAnotherId) {
    const auto renderer = compiled(html_content());
    const std::string row = row_of("a@b.test", "", {"Ann", "Graz"});
    RenderedMessage first, second;
    ASSERT_TRUE(renderer->render(request_for(row), first));
    RenderRequest request = request_for(row);
    ASSERT_TRUE(renderer->render(request, second));
    EXPECT_EQ(first.bytes, second.bytes);
    request.audience_key = "1|b.test|bob";
    ASSERT_TRUE(renderer->render(request, second));
    EXPECT_NE(header_of(first.bytes, "Message-ID"), header_of(second.bytes, "Message-ID"));
    // One boundary for a campaign: what stands before the first value is the same for everybody.
    EXPECT_EQ(header_of(first.bytes, "Content-Type"), header_of(second.bytes, "Content-Type"));
    MessageContent other = html_content();
    other.campaign_id = "summer-2026";
    EXPECT_NE(header_of(first.bytes, "Content-Type"),
              header_of(rendered(other, row).bytes, "Content-Type"));
}

TEST(Message, AnEncodingIsChosenPerMessage) {
    const auto encoding = [](const MessageContent& content, const std::string& city) {
        return header_of(rendered(content, row_of("a@b.test", "", {"Ann", city})).bytes,
                         "Content-Transfer-Encoding");
    };
    MessageContent content = plain_content();
    content.text->text = "Greetings to {{city}}";
    EXPECT_EQ(encoding(content, "Graz"), "7bit");
    EXPECT_EQ(encoding(content, "Zürich"), "quoted-printable");
    EXPECT_EQ(encoding(content, std::string(1200, 'x')), "quoted-printable");
    content.text->text = "Grüße nach {{city}} von uns allen";
    EXPECT_EQ(encoding(content, "Graz"), "quoted-printable");
    content.text->text = "漢字かな交じり文の例文です。{{city}}";
    content.footer = FooterPolicy::kOff;
    EXPECT_EQ(encoding(content, "Graz"), "base64");
}

TEST(Message, OneClickNeedsAnHttpsUrl) {
    const std::string row = row_of("a@b.test", "", {"Ann", "Graz"});
    const auto post = [&row](const MessageContent& content) {
        return header_of(rendered(content, row).bytes, "List-Unsubscribe-Post");
    };
    MessageContent content = plain_content();
    EXPECT_EQ(post(content), "List-Unsubscribe=One-Click");
    content.unsubscribe.one_click = false;
    EXPECT_EQ(post(content), "(none)");
    content.unsubscribe.one_click = true;
    content.unsubscribe.url = "";
    EXPECT_EQ(post(content), "(none)");
    EXPECT_TRUE(header_of(rendered(content, row).bytes, "List-Unsubscribe")
                    .starts_with("<mailto:unsub@acme.test?subject=unsubscribe%20"));
    content.unsubscribe.mailto = "";
    EXPECT_EQ(header_of(rendered(content, row).bytes, "List-Unsubscribe"), "(none)");
}

TEST(Message, TheFooterIsAddedOnlyWhereItIsLacking) {
    const std::string row = row_of("a@b.test", "", {"Ann", "Graz"});
    MessageContent content = html_content();
    const std::string automatic = rendered(content, row).bytes;
    EXPECT_NE(automatic.find("\">Unsubscribe</a>"), std::string::npos);
    EXPECT_NE(automatic.find("Unsubscribe: https://u.acme.test/u/"), std::string::npos);
    content.html->text = "<p>{{physical_address}} <a href=\"{{unsubscribe_url}}\">Leave</a>";
    const std::string own = rendered(content, row).bytes;
    EXPECT_EQ(own.find("Unsubscribe</a>"), std::string::npos);
    EXPECT_NE(own.find("Leave (https://u.acme.test/u/"), std::string::npos);
    content = html_content();
    content.footer = FooterPolicy::kOff;
    EXPECT_EQ(rendered(content, row).bytes.find("Springfield"), std::string::npos);
    content.footer = FooterPolicy::kRequire;
    EXPECT_EQ(codes_of(content), (std::vector<std::string>{"/html compliance_unsubscribe",
                                                           "/html compliance_address"}));
    content.kind = CampaignKind::kTransactional;
    EXPECT_EQ(codes_of(content), std::vector<std::string>{});
}

TEST(Message, PartialsOfTheHtmlAreTextInTheTextPart) {
    MessageContent content = html_content();
    content.partials = {{"footer", "<p>Yours,<br>{{> who}}</p>", "footer.mustache"},
                        {"who", "<b>Acme &amp; Co</b>", "who.mustache"},
                        {"again", "<i>x</i>{{#never}}{{> again}}{{/never}}", "again.mustache"}};
    content.html->text = "<p>Dear {{first_name}}</p>{{> footer }}{{#never}}{{> again}}{{/never}}";
    content.columns.push_back("never");
    const std::string bytes = rendered(content, row_of("a@b.test", "", {"Ann", "Graz", ""})).bytes;
    EXPECT_NE(bytes.find("Dear Ann\r\n\r\nYours,\r\nAcme & Co"), std::string::npos) << bytes;
    const std::string text = bytes.substr(0, bytes.find("text/html"));
    EXPECT_EQ(text.find("<p>"), std::string::npos) << text;
    EXPECT_EQ(text.find("<b>"), std::string::npos) << text;
}

TEST(Message, CustomHeadersAreTemplatesAndSomeNamesAreRefused) {
    MessageContent content = plain_content();
    content.headers = {{"X-Campaign", "{{campaign.id}}"}, {"X-City", "to {{city}}"}};
    const std::string message = rendered(content, row_of("a@b.test", "", {"Ann", "Graz"})).bytes;
    EXPECT_EQ(header_of(message, "X-Campaign"), "spring-2026");
    EXPECT_EQ(header_of(message, "X-City"), "to Graz");
    content.headers.clear();
    for (const char* name : {"Bcc", "from", "CONTENT-type", "X Y", "X:", "DKIM-Signature", "Résumé",
                             "List-Unsubscribe", "Received", "X\r\nY", ""})
        content.headers.push_back({name, "x"});
    const auto codes = codes_of(content);
    EXPECT_EQ(codes.size(), content.headers.size());
    for (const std::string& code : codes) EXPECT_TRUE(code.ends_with(" header_forbidden"));
}

TEST(Message, AllFaultsOfAllFieldsAreReported) {
    MessageContent content = html_content();
    content.subject.text = "{{nope}}";
    content.to_name = "{{#if x}}";
    content.html->text = "{{city | shout}}";
    content.preheader = "{{";
    content.unsubscribe.url = "https://x/{{unsubscribe_url}}";
    content.headers = {{"To", "x"}};
    const auto codes = codes_of(content);
    for (const char* expected :
         {"/subject template_unknown_var", "/to_name template_syntax",
          "/html template_unknown_filter", "/preheader template_syntax",
          "/compliance/unsubscribe/url template_syntax", "/headers/To header_forbidden"})
        EXPECT_NE(std::find(codes.begin(), codes.end(), expected), codes.end()) << expected;
    EXPECT_EQ(compile_content(content, nullptr).renderer, nullptr);
}

TEST(Message, AValueMissingRefusesTheRecipientAlone) {
    const auto renderer = compiled(plain_content());
    std::string row;
    AudienceRowWriter(row, "a@b.test", "").missing();
    RenderedMessage message;
    const Status status = renderer->render(request_for(row), message);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "text/plain: {{first_name}} has no value");
    EXPECT_TRUE(renderer->render(request_for(row_of("a@b.test", "", {"Ann"})), message));
    EXPECT_FALSE(renderer->render(request_for("\xff"), message));
    EXPECT_FALSE(renderer->render(request_for(row_of("broken", "", {"Ann"})), message));
}

TEST(Message, ALargeMessageIsRefused) {
    MessageContent content = plain_content();
    content.message_bytes_max = 20'000;
    const auto renderer = compiled(content);
    RenderedMessage message;
    for (const char* piece : {"x", "ü"}) {
        std::string value;
        while (value.size() < 30'000) value += piece;
        EXPECT_FALSE(renderer->render(request_for(row_of("a@b.test", "", {value})), message));
    }
    content.text->text = std::string(30'000, 'x');
    EXPECT_EQ(codes_of(content), std::vector<std::string>{"/text message_too_big"});
}

TEST(Message, InternationalRecipientsGetTheirDomainInAsciiAndSmtputf8WhereNeeded) {
    const auto to = [](const char* address) {
        return rendered(plain_content(), row_of(address, "", {"Ann", ""}));
    };
    EXPECT_EQ(to("a@bücher.test").envelope_to, "a@xn--bcher-kva.test");
    EXPECT_FALSE(to("a@bücher.test").smtputf8);
    EXPECT_TRUE(to("jürgen@bücher.test").smtputf8);
    EXPECT_EQ(header_of(to("jürgen@bücher.test").bytes, "To"), "jürgen@xn--bcher-kva.test");
}

// Whatever stands in a list: the headers are those of a harmless message, each line is short and
// ends in CRLF, and nothing but the address given is addressed.
TEST(Message, NoValueOfAListAddsAHeaderAnAddressOrALine) {
    std::vector<std::string> hostile = {"\r\nBcc: evil@evil.test",
                                        "\nBcc: evil@evil.test",
                                        "\rBcc: evil@evil.test",
                                        "x\r\n\r\n<html>",
                                        "\r\n.\r\nMAIL FROM:<x@y.test>\r\n",
                                        "a\r\n b",
                                        "a\r\n\tb",
                                        std::string("nul\0nul", 7),
                                        "\x1b[31m",
                                        "\x7f",
                                        "\xff\xfe",
                                        "\xc0\x8a",
                                        "\xe5\x98\x8a\xe5\x98\x8d",
                                        "\xc2\x85"
                                        "Bcc: x",
                                        "\xe2\x80\xa8"
                                        "Bcc: x",
                                        "evil@evil.test",
                                        "<evil@evil.test>",
                                        "\" <evil@evil.test>, \"",
                                        "a, evil@evil.test",
                                        "a;b:c",
                                        "=?UTF-8?Q?=0D=0ABcc:_x?=",
                                        "=?utf-8?B?DQpCY2M6IHg=?=",
                                        "(comment",
                                        "\\",
                                        "\\\"",
                                        "\"",
                                        "{{unsubscribe_url}}",
                                        "{{{x}}}",
                                        "<script>alert(1)</script>",
                                        "\"><img src=x onerror=y>",
                                        "javascript:alert(1)",
                                        "--=_",
                                        "\r\n--=_0000\r\nContent-Type: text/html\r\n\r\nx",
                                        "%0d%0aBcc:x",
                                        "%s%n",
                                        "&#13;",
                                        std::string(3000, 'A'),
                                        std::string(3000, ' '),
                                        "",
                                        " ",
                                        "\t",
                                        ".",
                                        "..",
                                        "From x"};
    while (hostile.size() < 100)
        hostile.push_back(hostile[hostile.size() % 44] + hostile[(hostile.size() * 7) % 44]);
    MessageContent content = html_content();
    content.to_name = "{{first_name}} {{recipient.name}}";
    content.headers = {{"X-Name", "{{first_name}}"}, {"X-Raw", "{{{first_name}}}"}};
    content.html->text += "<p title=\"{{first_name}}\">{{{first_name}}}</p>";
    const auto renderer = compiled(content);
    RenderedMessage message;
    for (const std::string& value : hostile) {
        const std::string row = row_of("a@b.test", value, {value, value});
        ASSERT_TRUE(renderer->render(request_for(row), message)) << value;
        std::multiset<std::string> names;
        const std::string head = message.bytes.substr(0, message.bytes.find("\r\n\r\n") + 2);
        for (std::size_t at = 0; at < head.size(); at = head.find("\r\n", at) + 2)
            if (head[at] != ' ') names.insert(head.substr(at, head.find(':', at) - at));
        EXPECT_EQ(names, (std::multiset<std::string>{
                             "Content-Type", "Date", "Feedback-ID", "From", "List-Id",
                             "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version",
                             "Message-ID", "Subject", "To", "X-Name", "X-Raw"}));
        EXPECT_TRUE(header_of(message.bytes, "To").ends_with("a@b.test") ||
                    header_of(message.bytes, "To").ends_with(" <a@b.test>"));
        std::size_t column = 0;
        for (std::size_t i = 0; i < message.bytes.size(); ++i) {
            const char c = message.bytes[i];
            EXPECT_TRUE(c != '\n' || message.bytes[i - 1] == '\r');
            EXPECT_TRUE(c != '\r' || message.bytes[i + 1] == '\n');
            EXPECT_TRUE(c == '\r' || c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7F));
            column = c == '\n' ? 0 : column + 1;
            EXPECT_LE(column, 999u);
        }
        EXPECT_EQ(message.envelope_to, "a@b.test");
        const std::string boundary =
            message.bytes.substr(message.bytes.find("boundary=\"=_") + 10, 34);
        std::size_t delimiters = 0;
        for (std::size_t at = message.bytes.find("--" + boundary); at != std::string::npos;
             at = message.bytes.find("--" + boundary, at + 1))
            ++delimiters;
        EXPECT_EQ(delimiters, 3u);
    }
}

}  // namespace
}  // namespace posthorn
