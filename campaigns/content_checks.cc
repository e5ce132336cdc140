#include "campaigns/content_checks.h"

#include <algorithm>
#include <array>

#include "campaigns/content_links.h"
#include "campaigns/html_text.h"
#include "campaigns/word_lists.h"
#include "engine/base/ascii.h"

namespace posthorn {
namespace {

constexpr std::size_t kUnsubscribeWord = 11;
constexpr std::size_t kTextOfAMessage = 80;  // characters; fewer beside images are all-image mail

// Without blanks: however a text is wrapped or marked up, the same words are equal.
std::string without_blanks(std::string_view text) {
    std::string out;
    for (char c : text)
        if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) out.push_back(c);
    return out;
}

class MessageCheck {
  public:
    MessageCheck(const Campaign& campaign, const ReadableMessage& message)
        : campaign_(campaign), message_(message), html_words_(html_to_text(message.html)) {}

    std::vector<CampaignError> run(std::size_t wire_bytes) {
        check_subject();
        check_opt_out("/text", message_.text);
        check_opt_out("/html", html_words_);
        check_unresolved();
        check_sizes(wire_bytes);
        check_images();
        check_words();
        for (CampaignError& problem : check_links(campaign_, message_.html))
            problems_.push_back(std::move(problem));
        if (campaign_.text_source == TextSource::kGiven)  // otherwise they are those of the HTML
            for (CampaignError& problem : check_text_links(campaign_, message_.text))
                problems_.push_back(std::move(problem));
        return std::move(problems_);
    }

  private:
    void note(CampaignErrorCode code, Severity severity, const std::string& path,
              std::string message, std::string hint) {
        problems_.push_back(
            content_problem(code, severity, path, std::move(message), std::move(hint)));
    }
    bool is_marketing() const { return campaign_.kind == CampaignKind::kMarketing; }
    Severity for_marketing() const {
        return is_marketing() ? Severity::kError : Severity::kWarning;
    }

    void check_subject();
    void check_opt_out(const std::string& path, const std::string& words);
    void check_unresolved();
    void check_sizes(std::size_t wire_bytes);
    void check_images();
    void check_words();

    const Campaign& campaign_;
    const ReadableMessage& message_;
    const std::string html_words_;
    std::vector<CampaignError> problems_;
};

void MessageCheck::check_subject() {
    const std::string_view subject = message_.subject;
    const std::string_view reply = reply_prefix(ascii_lowered(subject));
    if (!reply.empty())
        note(CampaignErrorCode::kComplianceSubject, for_marketing(), "/subject",
             "the subject pretends to be a reply or forwarded",
             "leave out the '" + std::string(reply) + "'");
    const auto letters = std::count_if(subject.begin(), subject.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
    const auto capitals =
        std::count_if(subject.begin(), subject.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (letters >= 10 && capitals * 10 >= letters * 8)
        note(CampaignErrorCode::kSpamTrigger, Severity::kWarning, "/subject",
             "the subject is written in capitals", "filters take it for spam: use small letters");
    if (subject.find("!!") != std::string_view::npos ||
        subject.find("$$") != std::string_view::npos)
        note(CampaignErrorCode::kSpamTrigger, Severity::kWarning, "/subject",
             "the subject holds !! or $$", "filters take it for spam: one is enough");
}

// A part that is there shows the way out and the address, whatever became of the template's ifs.
void MessageCheck::check_opt_out(const std::string& path, const std::string& words) {
    const bool is_html = path == "/html";
    if (!is_marketing() || (is_html ? message_.html : message_.text).empty()) return;
    const Severity severity =
        campaign_.compliance.footer == FooterPolicy::kOff ? Severity::kWarning : Severity::kError;
    const std::string& url = message_.unsubscribe_url;
    const std::string found_in = is_html ? links_of(message_.html) : words;
    if (!url.empty() && found_in.find(url) == std::string::npos)
        note(CampaignErrorCode::kComplianceUnsubscribe, severity, path,
             is_html ? "the HTML that recipients get has no link to unsubscribe"
                     : "the text that recipients get shows no way to unsubscribe",
             "put {{unsubscribe_url}} where every recipient sees it, or leave compliance.footer at "
             "auto");
    const std::string& address = campaign_.compliance.physical_address;
    if (!address.empty() &&
        without_blanks(words).find(without_blanks(address)) == std::string::npos)
        note(
            CampaignErrorCode::kComplianceAddress, severity, path,
            "what recipients get shows no postal address",
            "put {{physical_address}} where every recipient sees it, or leave compliance.footer at "
            "auto");
}

// Tags that came through as text: of other senders' systems, or from a value of the list.
void MessageCheck::check_unresolved() {
    const std::pair<std::string_view, std::string> places[] = {
        {message_.subject, "/subject"}, {message_.text, "/text"}, {html_words_, "/html"}};
    for (const auto& [text, path] : places) {
        const std::string_view tag = unresolved_tag(text);
        if (tag.empty()) continue;
        note(CampaignErrorCode::kTemplateUnresolved, Severity::kWarning, path,
             "'" + std::string(tag) + "' reaches recipients as it is",
             "variables are written {{name}} here");
    }
}

void MessageCheck::check_sizes(std::size_t wire_bytes) {
    if (message_.html.size() > kClippedHtmlBytes)
        note(CampaignErrorCode::kHtmlTooLong, Severity::kWarning, "/html",
             "the HTML has " + std::to_string(message_.html.size() / 1024) +
                 " KB; Gmail cuts it off at 102 KB",
             "shorten it, or move what is below to a web page");
    if (wire_bytes > kLargeMessageBytes)
        note(CampaignErrorCode::kMessageLarge, Severity::kWarning,
             campaign_.attachments.empty() ? "/html" : "/attachments",
             "every message has " + std::to_string(wire_bytes >> 10) + " KB",
             "large bulk mail is slow and often refused: link to files instead");
    const std::size_t subject_bytes = message_.subject.size();
    if (subject_bytes > 255)
        note(CampaignErrorCode::kLineTooLong, Severity::kWarning, "/subject",
             "the subject has " + std::to_string(subject_bytes) + " bytes",
             "readers show 40 to 70 characters of it");
}

void MessageCheck::check_images() {
    const HtmlImages images = images_of(message_.html);
    if (images.count == 0) return;
    // What the law demands is no message; its link shows a word.
    const std::size_t footer = campaign_.compliance.physical_address.size() + kUnsubscribeWord;
    if (words_beside_images(message_.html).size() < kTextOfAMessage + footer)
        note(CampaignErrorCode::kImageOnly, Severity::kWarning, "/html",
             "the message is made of images",
             "say it in text as well: many readers show no images, and filters distrust such mail");
    if (images.without_alt > 0)
        note(CampaignErrorCode::kImageAlt, Severity::kWarning, "/html",
             std::to_string(images.without_alt) + " of " + std::to_string(images.count) +
                 " images have no alt text",
             "add alt=\"…\", or alt=\"\" for decoration");
}

void MessageCheck::check_words() {
    const std::pair<std::string, const char*> places[] = {
        {ascii_lowered(message_.subject), "/subject"},
        {ascii_lowered(message_.text), "/text"},
        {ascii_lowered(html_words_), "/html"}};
    std::string found;
    std::string path;
    for (const auto& [text, where] : places)
        for (const std::string_view phrase : spam_phrases()) {
            if (text.find(phrase) == std::string::npos) continue;
            if (found.find(phrase) != std::string::npos) continue;
            found.append(found.empty() ? "'" : ", '").append(phrase).append("'");
            if (path.empty()) path = where;
        }
    if (!found.empty())
        note(CampaignErrorCode::kSpamTrigger, Severity::kWarning, path,
             "words that spam filters look for: " + found, "say it in other words");
}

}  // namespace

std::vector<CampaignError> check_campaign_content(const Campaign& campaign) {
    std::vector<CampaignError> problems;
    const auto warn = [&](CampaignErrorCode code, const char* path, std::string message,
                          std::string hint) {
        problems.push_back(
            content_problem(code, Severity::kWarning, path, std::move(message), std::move(hint)));
    };
    if (is_freemail_domain(campaign.from.domain))
        warn(CampaignErrorCode::kFromFreemail, "/from",
             campaign.from.domain + " does not let others send in its name (DMARC)",
             "send from a domain of your own");
    if (campaign.html.present() && campaign.text_source == TextSource::kNone)
        warn(CampaignErrorCode::kTextMissing, "/text", "the message has no plain text",
             "leave `text` out or say \"auto\": it is made from the HTML");
    const Unsubscribe& unsubscribe = campaign.compliance.unsubscribe;
    const bool any_way = !unsubscribe.url.empty() || !unsubscribe.mailto.empty();
    if (campaign.kind == CampaignKind::kMarketing && any_way &&
        (unsubscribe.url.empty() || !unsubscribe.one_click))
        warn(
            CampaignErrorCode::kOneClickMissing, "/compliance/unsubscribe",
            "recipients cannot unsubscribe with one click (RFC 8058)",
            "Gmail and Yahoo ask it of bulk senders: give an https `url` and leave `one_click` on");
    return problems;
}

std::vector<CampaignError> check_readable(const Campaign& campaign, const ReadableMessage& message,
                                          std::size_t wire_bytes) {
    return MessageCheck(campaign, message).run(wire_bytes);
}

bool is_role_account(std::string_view local_part) {
    const std::string folded = ascii_lowered(local_part);
    return is_role_name(std::string_view(folded).substr(0, folded.find('+')));
}

}  // namespace posthorn
