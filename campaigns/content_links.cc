#include "campaigns/content_links.h"

#include <algorithm>
#include <set>

#include "campaigns/html_tag.h"
#include "campaigns/html_text.h"
#include "campaigns/word_lists.h"
#include "engine/base/ascii.h"
#include "engine/mail/ip_address.h"

namespace posthorn {
namespace {

constexpr std::size_t kLinksNamed = 3;  // in one fault

std::string decoded(std::string_view value) {
    std::string out;
    append_decoded_entities(out, value);
    const std::size_t start = std::min(out.find_first_not_of(" \t\r\n"), out.size());
    out.erase(0, start);
    while (!out.empty() && std::string_view(" \t\r\n").find(out.back()) != std::string_view::npos)
        out.pop_back();
    return out;
}

// Of an http or https URL, in lower case, without port and user; empty when it has none.
std::string host_of(std::string_view url) {
    const std::size_t slashes = url.find("://");
    if (slashes == std::string_view::npos) return {};
    std::string_view rest = url.substr(slashes + 3);
    rest = rest.substr(0, rest.find_first_of("/?#\\"));
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos)
        rest.remove_prefix(at + 1);
    return ascii_lowered(
        rest.substr(0, rest.starts_with('[') ? std::string_view::npos : rest.find(':')));
}

// Calls with each tag, and with the text in front of it.
template <class Tag, class Text>
void scan_html(std::string_view html, const Tag& on_tag, const Text& on_text) {
    while (!html.empty()) {
        if (take_html_markup(html)) continue;
        if (begins_html_tag(html)) {
            const HtmlTag tag = take_html_tag(html);
            if (!tag.closing && holds_no_text(tag.name)) skip_html_element(html, tag.name);
            on_tag(tag);
            continue;
        }
        const std::size_t end = std::min(html.find('<', 1), html.size());
        on_text(html.substr(0, end));
        html.remove_prefix(end);
    }
}

class LinkCheck {
  public:
    LinkCheck(const Campaign& campaign, std::string path)
        : campaign_(campaign), path_(std::move(path)) {}

    std::vector<CampaignError> run(std::string_view html) {
        scan_html(
            html, [this](const HtmlTag& tag) { tag_seen(tag); },
            [this](std::string_view text) {
                if (in_link_) link_text_.append(text);
            });
        report();
        return std::move(problems_);
    }

    // Of plain text: words that are links, without the punctuation behind them.
    std::vector<CampaignError> run_text(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find_first_of(" \t\r\n<>()"), text.size());
            std::string_view word = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            word = word.substr(0, word.find_last_not_of(".,;:!?") + 1);
            const std::string folded = ascii_lowered(word.substr(0, 8));
            if (folded.starts_with("http://") || folded == "https://")
                check_target(std::string(word), true);
        }
        report();
        return std::move(problems_);
    }

  private:
    struct Found {
        std::set<std::string> urls;
        void add(std::string url) { urls.insert(std::move(url)); }
    };

    void tag_seen(const HtmlTag& tag) {
        if (tag.name == "a") {
            if (in_link_) check_shown_target();
            in_link_ = !tag.closing && tag.has("href");
            if (!in_link_) return;
            href_ = decoded(tag.attribute("href"));
            link_text_.clear();
            check_target(href_, true);
        } else if (tag.has("src") && !tag.closing) {
            check_target(decoded(tag.attribute("src")), false);
        }
    }

    void check_target(const std::string& url, bool is_link) {
        const std::string folded = ascii_lowered(url);
        if (folded.starts_with("cid:")) return cids_.add(url.substr(4));
        if (folded.empty() || (is_link && folded == "#"))
            return (is_link ? empty_ : broken_).add(url);
        if (folded.front() == '#' || folded.starts_with("mailto:") || folded.starts_with("tel:") ||
            folded.starts_with("sms:") || folded.starts_with("data:"))
            return;
        const bool http = folded.starts_with("http://"), https = folded.starts_with("https://");
        const std::string host = host_of(url);
        if ((!http && !https) || host.empty() || url.find(' ') != std::string::npos ||
            (host.find('.') == std::string::npos && host.front() != '['))
            return broken_.add(url);
        if (http) insecure_.add(url);
        if (IpAddress::parse(host)) numeric_.add(url);
        if (is_link_shortener(host)) shortened_.add(url);
    }

    // "www.bank.example" as text of a link to elsewhere.
    void check_shown_target() {
        std::string shown = ascii_lowered(decoded(link_text_));
        if (shown.find_first_of(" \t\r\n") != std::string::npos) return;
        if (!shown.starts_with("http://") && !shown.starts_with("https://")) {
            if (!shown.starts_with("www.")) return;
            shown.insert(0, "https://");
        }
        std::string wanted = host_of(shown), real = host_of(href_);
        for (std::string* host : {&wanted, &real})
            if (host->starts_with("www.")) host->erase(0, 4);
        if (!real.empty() && wanted != real && !real.ends_with("." + wanted) &&
            !wanted.ends_with("." + real))
            misleading_.add(href_);
    }

    void note(const Found& found, CampaignErrorCode code, Severity severity,
              const std::string& what, const std::string& hint) {
        if (found.urls.empty()) return;
        std::string names;
        std::size_t named = 0;
        for (const std::string& url : found.urls) {
            if (named++ == kLinksNamed) break;
            names.append(names.empty() ? "'" : ", '").append(url.substr(0, 80)).append("'");
        }
        if (found.urls.size() > kLinksNamed)
            names += " and " + std::to_string(found.urls.size() - kLinksNamed) + " more";
        problems_.push_back(content_problem(code, severity, path_, what + ": " + names, hint));
    }

    void report() {
        const Severity warn = Severity::kWarning;
        note(broken_, CampaignErrorCode::kLinkBroken, Severity::kError,
             "links and images that work in no mail", "write whole addresses: https://…");
        note(empty_, CampaignErrorCode::kLinkBroken, warn, "links that lead nowhere",
             "give href an address");
        note(insecure_, CampaignErrorCode::kLinkInsecure, warn, "links without encryption",
             "use https://");
        note(numeric_, CampaignErrorCode::kSpamTrigger, warn, "links to bare IP addresses",
             "use a name");
        note(shortened_, CampaignErrorCode::kSpamTrigger, warn, "shortened links",
             "filters distrust them: link to the page itself");
        note(misleading_, CampaignErrorCode::kLinkMisleading, warn,
             "links that show another address than they lead to",
             "filters take it for phishing: show words instead");
        if (path_ == "/html") report_cids();
    }

    void report_cids() {
        Found unknown, unused;
        for (const std::string& cid : cids_.urls)
            if (std::none_of(campaign_.attachments.begin(), campaign_.attachments.end(),
                             [&](const Attachment& known) { return known.cid == cid; }))
                unknown.add("cid:" + cid);
        for (const Attachment& attachment : campaign_.attachments)
            if (!attachment.cid.empty() && attachment.is_inline &&
                !cids_.urls.contains(attachment.cid))
                unused.add("cid:" + attachment.cid);
        note(unknown, CampaignErrorCode::kAttachmentMissing, Severity::kError,
             "images that are not attached", "add them to `attachments` with this `cid`");
        note(unused, CampaignErrorCode::kAttachmentUnused, Severity::kWarning,
             "inline attachments that the HTML does not show", "add <img src=\"cid:…\">");
    }

    const Campaign& campaign_;
    const std::string path_;
    std::vector<CampaignError> problems_;
    bool in_link_ = false;
    std::string href_, link_text_;
    Found broken_, empty_, insecure_, numeric_, shortened_, misleading_, cids_;
};

bool is_pixel(const HtmlTag& image) {
    const std::string_view width = image.attribute("width"), height = image.attribute("height");
    return (width == "1" || width == "2") && (height == "1" || height == "2");
}

}  // namespace

CampaignError content_problem(CampaignErrorCode code, Severity severity, const std::string& path,
                              std::string message, std::string hint) {
    CampaignError error;
    error.code = code;
    error.severity = severity;
    error.path = path;
    error.message = std::move(message);
    error.hint = std::move(hint);
    return error;
}

std::vector<CampaignError> check_links(const Campaign& campaign, std::string_view html) {
    return LinkCheck(campaign, "/html").run(html);
}

std::vector<CampaignError> check_text_links(const Campaign& campaign, std::string_view text) {
    return LinkCheck(campaign, "/text").run_text(text);
}

std::string links_of(std::string_view html) {
    std::string out;
    scan_html(
        html,
        [&out](const HtmlTag& tag) {
            if (tag.name == "a" && !tag.closing)
                out.append(decoded(tag.attribute("href"))).push_back('\n');
        },
        [](std::string_view) {});
    return out;
}

HtmlImages images_of(std::string_view html) {
    HtmlImages images;
    scan_html(
        html,
        [&images](const HtmlTag& tag) {
            if (tag.name != "img" || tag.closing || is_pixel(tag)) return;
            ++images.count;
            if (!tag.has("alt")) ++images.without_alt;
        },
        [](std::string_view) {});
    return images;
}

std::string words_beside_images(std::string_view html) {
    std::string out;
    bool blank = false;
    scan_html(
        html, [&blank](const HtmlTag&) { blank = true; },
        [&](std::string_view text) {
            for (const char c : decoded(text)) {
                const bool is_blank = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
                if (!is_blank && blank && !out.empty()) out.push_back(' ');
                if (!is_blank) out.push_back(c);
                blank = is_blank;
            }
            blank = true;
        });
    return out;
}

}  // namespace posthorn
