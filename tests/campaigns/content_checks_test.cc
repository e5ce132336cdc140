#include "campaigns/content_checks.h"

#include <gmock/gmock.h>

#include "campaigns/word_lists.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kFooterText = "\nAcme, 1 Main St\nUnsubscribe: https://u.acme.test/u/x?a=1&b=2\n";
const std::string kFooterHtml =
    "<p>Acme, 1&nbsp;Main St</p><a href=\"https://u.acme.test/u/x?a=1&amp;b=2\">Unsubscribe</a>";

class ContentChecksTest : public ::testing::Test {
  protected:
    ContentChecksTest() {
        (void)parse_address("news@acme.test", campaign_.from);
        campaign_.html.sha256 = "x";
        campaign_.text_source = TextSource::kAuto;
        campaign_.compliance.physical_address = "Acme, 1 Main St";
        campaign_.compliance.unsubscribe.url = "https://u.acme.test/u/{{unsubscribe_token}}";
        message_ = {"Spring is here", "Dear Ann" + kFooterText,
                    "<body><p>Dear Ann, spring is here.</p>" + kFooterHtml + "</body>",
                    "https://u.acme.test/u/x?a=1&b=2"};
    }

    std::vector<std::string> found(std::size_t wire_bytes = 5000) {
        messages_.clear();
        std::vector<std::string> out;
        for (const CampaignError& error : check_readable(campaign_, message_, wire_bytes)) {
            out.push_back(std::string(name_of(error.severity)) + " " +
                          std::string(name_of(error.code)) + " " + error.path);
            messages_ += error.message + "\n";
            EXPECT_FALSE(error.hint.empty()) << error.message;
        }
        return out;
    }
    std::vector<std::string> found_in_campaign() {
        std::vector<std::string> out;
        for (const CampaignError& error : check_campaign_content(campaign_))
            out.push_back(std::string(name_of(error.code)) + " " + error.path);
        return out;
    }
    void add_html(const std::string& html) { message_.html += html; }

    Campaign campaign_;
    ReadableMessage message_;
    std::string messages_;
};

TEST_F(ContentChecksTest, AGoodMessageHasNothingToSay) {
    EXPECT_THAT(found(), IsEmpty()) << messages_;
    EXPECT_THAT(found_in_campaign(), IsEmpty());
}

TEST_F(ContentChecksTest, ASubjectThatPretendsToBeAReplyIsRefused) {
    for (const char* subject : {"Re: your order", "RE: x", "Fwd: x", " fw: x", "AW: x", "Re : x"}) {
        message_.subject = subject;
        EXPECT_THAT(found(), ElementsAre("error compliance_subject /subject")) << subject;
    }
    campaign_.kind = CampaignKind::kTransactional;
    EXPECT_THAT(found(), ElementsAre("warning compliance_subject /subject"));
    for (const char* subject : {"Regarding x", "Report: Re: x", "Awards", ""}) {
        message_.subject = subject;
        EXPECT_THAT(found(), IsEmpty()) << subject;
    }
}

TEST_F(ContentChecksTest, EachPartShowsTheWayOutAndTheAddressAsItIsRendered) {
    message_.text = "Dear Ann\n";
    EXPECT_THAT(found(), ElementsAre("error compliance_unsubscribe /text",
                                     "error compliance_address /text"));
    message_.text = "Dear Ann" + kFooterText;
    message_.html = "<p>Dear Ann</p><!-- " + kFooterHtml + " -->";
    EXPECT_THAT(found(), ElementsAre("error compliance_unsubscribe /html",
                                     "error compliance_address /html"));
    campaign_.compliance.footer = FooterPolicy::kOff;
    EXPECT_THAT(found(), ElementsAre("warning compliance_unsubscribe /html",
                                     "warning compliance_address /html"));
    campaign_.kind = CampaignKind::kTransactional;
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ContentChecksTest, LinksLeadSomewhereSafe) {
    const struct {
        const char* html;
        const char* expected;
    } cases[] = {
        {"<a href=\"/shop\">a</a>", "error link_broken /html"},
        {"<a href=\"shop.html\">a</a>", "error link_broken /html"},
        {"<a href=\"https://\">a</a>", "error link_broken /html"},
        {"<a href=\"https://shop\">a</a>", "error link_broken /html"},
        {"<a href=\"https://x.test/a b\">a</a>", "error link_broken /html"},
        {"<a href=\"htps://x.test\">a</a>", "error link_broken /html"},
        {"<img alt=\"\" width=1 height=1 src=\"pic.png\">", "error link_broken /html"},
        {"<a href=\"\">a</a>", "warning link_broken /html"},
        {"<a href=\"#\">a</a>", "warning link_broken /html"},
        {"<a href=\"http://x.test/\">a</a>", "warning link_insecure /html"},
        {"<a href=\"https://192.0.2.1/\">a</a>", "warning spam_trigger /html"},
        {"<a href=\"https://bit.ly/x\">a</a>", "warning spam_trigger /html"},
        {"<a href=\"https://evil.test/\">https://www.bank.test/</a>",
         "warning link_misleading /html"},
        {"<a href=\"https://evil.test/\">www.bank.test</a>", "warning link_misleading /html"},
        {"<img alt=\"\" width=1 height=1 src=\"cid:logo\">", "error attachment_missing /html"},
    };
    const std::string good = message_.html;
    for (const auto& c : cases) {
        message_.html = good + c.html;
        EXPECT_THAT(found(), ElementsAre(c.expected)) << c.html << "\n" << messages_;
    }
    for (const char* html :
         {"<a href=\"https://x.test/?a=1&amp;b=2\">a</a>", "<a href=\"mailto:a@x.test\">a</a>",
          "<a href=\"tel:+431\">a</a>", "<a href=\"#top\">a</a>", "<a name=\"top\"></a>",
          "<a href=\"https://shop.bank.test/x\">www.bank.test</a>",
          "<A HREF = 'HTTPS://X.TEST/'>a</A>", "<style>a { color: url(x) }</style>"}) {
        message_.html = good + html;
        EXPECT_THAT(found(), IsEmpty()) << html << "\n" << messages_;
    }
}

TEST_F(ContentChecksTest, LinksOfAGivenTextAreLookedAtAsWell) {
    message_.text += "See http://acme.test/a, https://x and (https://acme.test/fine).\n";
    EXPECT_THAT(found(), IsEmpty());  // the text of the HTML has its links
    campaign_.text_source = TextSource::kGiven;
    EXPECT_THAT(found(), ElementsAre("error link_broken /text", "warning link_insecure /text"))
        << messages_;
}

TEST_F(ContentChecksTest, InlineImagesAreAttachedAndShown) {
    campaign_.attachments = {{{}, "logo.png", "image/png", "logo", true}};
    EXPECT_THAT(found(), ElementsAre("warning attachment_unused /html"));
    add_html("<img alt=\"Acme\" width=1 height=1 src=\"cid:logo\">");
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ContentChecksTest, ImagesAreNotAllThereIs) {
    message_.html = "<img src=\"https://x.test/a.png\">" + kFooterHtml;
    EXPECT_THAT(found(), ElementsAre("warning image_only /html", "warning image_alt /html"));
    message_.html = "<img alt=\"\" src=\"https://x.test/a.png\"><p>" + std::string(100, 'x') +
                    "</p>" + kFooterHtml;
    EXPECT_THAT(found(), IsEmpty());
    message_.unsubscribe_url += std::string(300, 'x');  // nobody reads that
    EXPECT_THAT(found(), ::testing::Not(::testing::Contains("warning image_only /html")));
}

TEST_F(ContentChecksTest, WhatFiltersTakeForSpamIsNamed) {
    message_.subject = "FREE MONEY FOR YOU";
    EXPECT_THAT(found(),
                ElementsAre("warning spam_trigger /subject", "warning spam_trigger /subject"));
    EXPECT_THAT(messages_, HasSubstr("'free money'"));
    message_.subject = "Only today!!";
    EXPECT_THAT(found(), ElementsAre("warning spam_trigger /subject"));
}

TEST_F(ContentChecksTest, TagsThatNobodyResolvedAreShown) {
    for (const char* tag : {"{{first_name}}", "*|FNAME|*", "%%name%%", "[[name]]", "${name}",
                            "%{name}", "{% name %}"}) {
        message_.subject = std::string("Dear ") + tag;
        EXPECT_THAT(found(), ElementsAre("warning template_unresolved /subject")) << tag;
        EXPECT_THAT(messages_, HasSubstr(tag));
    }
    for (const char* text : {"100%% sure", "{{}}", "*| |", "${5 < 6}", "[[1]"}) {
        message_.subject = text;
        EXPECT_THAT(found(), IsEmpty()) << text;
    }
}

TEST_F(ContentChecksTest, SizesThatReadersCutAreWarnings) {
    add_html(std::string(103 * 1024, ' '));
    EXPECT_THAT(found(), ElementsAre("warning html_too_long /html"));
    EXPECT_THAT(found(2u << 20),
                ElementsAre("warning html_too_long /html", "warning message_large /html"));
    message_.html = "<body>" + kFooterHtml;
    message_.subject = std::string(256, 'x');
    EXPECT_THAT(found(), ElementsAre("warning line_too_long /subject"));
}

TEST_F(ContentChecksTest, TheCampaignAsAWholeIsLookedAt) {
    (void)parse_address("acme@gmail.com", campaign_.from);
    campaign_.text_source = TextSource::kNone;
    campaign_.compliance.unsubscribe.one_click = false;
    EXPECT_THAT(found_in_campaign(), ElementsAre("from_freemail /from", "text_missing /text",
                                                 "one_click_missing /compliance/unsubscribe"));
    campaign_.kind = CampaignKind::kTransactional;
    EXPECT_THAT(found_in_campaign(), ElementsAre("from_freemail /from", "text_missing /text"));
}

TEST(RoleAccount, IsWhatNobodyReads) {
    for (const char* role : {"postmaster", "ABUSE", "no-reply", "info", "support+x"})
        EXPECT_TRUE(is_role_account(role)) << role;
    for (const char* person : {"ann", "information", "supporter", ""})
        EXPECT_FALSE(is_role_account(person)) << person;
}

}  // namespace
}  // namespace posthorn
