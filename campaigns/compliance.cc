#include "campaigns/compliance.h"

#include <algorithm>
#include <array>

namespace posthorn {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_but_case(char a, char b) { return lower(a) == lower(b); }

// Names that Posthorn writes, that a relay writes, or that would undo what was promised. Content-*
// and Resent-* besides.
constexpr std::string_view kForbidden[] = {"from",
                                           "sender",
                                           "reply-to",
                                           "to",
                                           "cc",
                                           "bcc",
                                           "subject",
                                           "date",
                                           "message-id",
                                           "mime-version",
                                           "received",
                                           "return-path",
                                           "dkim-signature",
                                           "arc-seal",
                                           "arc-message-signature",
                                           "arc-authentication-results",
                                           "authentication-results",
                                           "list-unsubscribe",
                                           "list-unsubscribe-post",
                                           "list-id",
                                           "feedback-id",
                                           "delivered-to",
                                           "apparently-to",
                                           "errors-to",
                                           "disposition-notification-to",
                                           "return-receipt-to"};

bool contains(const Program& part, std::string_view needle) {
    return std::any_of(part.texts.begin(), part.texts.end(), [needle](const std::string& text) {
        return text.find(needle) != std::string::npos;
    });
}

constexpr std::string_view kHtmlFooterStart =
    "\n<div style=\"margin-top:24px;font:12px/1.5 sans-serif;color:#666666\">";

}  // namespace

bool header_permitted(std::string_view name) {
    std::string folded(name);
    std::transform(folded.begin(), folded.end(), folded.begin(), lower);
    return !folded.starts_with("content-") && !folded.starts_with("resent-") &&
           std::find(std::begin(kForbidden), std::end(kForbidden), folded) == std::end(kForbidden);
}

FooterNeeds footer_needs(const MessageContent& content, const Program& part) {
    FooterNeeds needs;
    if (content.kind != CampaignKind::kMarketing) return needs;
    const bool can_unsubscribe =
        !content.unsubscribe.url.empty() || !content.unsubscribe.mailto.empty();
    needs.unsubscribe = can_unsubscribe && !part.uses(BuiltIn::kUnsubscribeUrl) &&
                        !part.uses(BuiltIn::kUnsubscribeToken);
    needs.address = !content.physical_address.empty() && !part.uses_reserved("physical_address") &&
                    !contains(part, content.physical_address);
    return needs;
}

std::string with_footer(std::string_view part, PartKind kind, const FooterNeeds& needs) {
    std::string footer;
    if (kind == PartKind::kText) {
        footer = part.empty() || part.ends_with('\n') ? "\n-- \n" : "\n\n-- \n";
        if (needs.address) footer += "{{physical_address}}\n";
        if (needs.unsubscribe) footer += "Unsubscribe: {{unsubscribe_url}}\n";
        return std::string(part) + footer;
    }
    footer = kHtmlFooterStart;
    if (needs.address) footer += "<p>{{physical_address}}</p>";
    if (needs.unsubscribe) footer += "<p><a href=\"{{unsubscribe_url}}\">Unsubscribe</a></p>";
    footer += "</div>\n";
    constexpr std::string_view kEnd = "</body";
    const auto end =
        std::find_end(part.begin(), part.end(), kEnd.begin(), kEnd.end(), same_but_case);
    const auto at = static_cast<std::size_t>(end - part.begin());
    return std::string(part.substr(0, at)) + footer + std::string(part.substr(at));
}

std::string with_preheader(std::string_view html, std::string_view preheader) {
    constexpr std::string_view kStart = "<body";
    const auto body =
        std::search(html.begin(), html.end(), kStart.begin(), kStart.end(), same_but_case);
    std::size_t at = 0;
    if (body != html.end()) {
        const std::size_t close = html.find('>', static_cast<std::size_t>(body - html.begin()));
        at = close == std::string_view::npos ? 0 : close + 1;
    }
    std::string out(html.substr(0, at));
    out.append("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">");
    out.append(preheader).append("</div>").append(html.substr(at));
    return out;
}

}  // namespace posthorn
