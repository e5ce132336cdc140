#include "engine/mail/reply.h"

#include <algorithm>
#include <array>

namespace posthorn {

namespace {

constexpr std::array<std::string_view, 11> kStageNames = {
    "none", "dns", "connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "quit"};

struct CategoryRow {
    std::string_view name;
    Action permanent;
    Action transient;
};

// In the order of the enumeration.
constexpr std::array<CategoryRow, kCategoryCount> kCategories = {{
    {"none", Action::kNone, Action::kNone},
    {"invalid_mailbox", Action::kSuppress, Action::kRetry},
    {"inactive_mailbox", Action::kSuppress, Action::kRetry},
    {"invalid_domain", Action::kSuppress, Action::kRetry},
    {"moved", Action::kSuppress, Action::kRetry},
    {"mailbox_full", Action::kDrop, Action::kRetry},
    {"message_too_large", Action::kDrop, Action::kRetry},
    {"content_rejected", Action::kDrop, Action::kRetry},
    {"virus", Action::kDrop, Action::kRetry},
    {"spam_content", Action::kDrop, Action::kSlow},
    {"reputation", Action::kStop, Action::kStop},
    {"policy", Action::kDrop, Action::kRetry},
    {"authentication", Action::kStop, Action::kStop},
    {"relaying", Action::kDrop, Action::kRetry},
    {"rate_limited", Action::kSlow, Action::kSlow},
    {"greylisted", Action::kRetry, Action::kRetry},
    {"recipients_limit", Action::kRetry, Action::kRetry},
    {"temporary", Action::kDrop, Action::kRetry},
    {"network", Action::kDrop, Action::kRetry},
    {"protocol", Action::kDrop, Action::kRetry},
    {"tls", Action::kDrop, Action::kRetry},
    {"auto_reply", Action::kDrop, Action::kDrop},
    {"challenge", Action::kDrop, Action::kDrop},
    {"unknown", Action::kDrop, Action::kRetry},
}};

constexpr std::array<std::string_view, 6> kActionNames = {"none",  "suppress", "drop",
                                                          "retry", "slow",     "stop"};

// A number of one to three digits without a superfluous leading zero.
std::optional<std::uint16_t> take_part(std::string_view& text) {
    std::size_t digits = 0;
    std::uint16_t value = 0;
    while (digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        value = static_cast<std::uint16_t>(value * 10 + (text[digits++] - '0'));
    if (digits == 0 || (digits > 1 && text[0] == '0')) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take_dot(std::string_view& text) {
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::string to_string(EnhancedCode code) {
    return std::to_string(code.klass) + "." + std::to_string(code.subject) + "." +
           std::to_string(code.detail);
}

std::optional<EnhancedCode> parse_enhanced_code(std::string_view text) {
    if (text.empty() || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return std::nullopt;
    EnhancedCode code;
    code.klass = static_cast<std::uint16_t>(text[0] - '0');
    text.remove_prefix(1);
    if (!take_dot(text)) return std::nullopt;
    const auto subject = take_part(text);
    if (!subject || !take_dot(text)) return std::nullopt;
    const auto detail = take_part(text);
    if (!detail || (!text.empty() && text.front() != ' ')) return std::nullopt;
    code.subject = *subject;
    code.detail = *detail;
    return code;
}

std::string to_string(const Reply& reply) {
    std::string line = std::to_string(reply.code);
    if (reply.enhanced) line += " " + to_string(*reply.enhanced);
    if (!reply.text.empty()) line += ' ';
    for (const char c : reply.text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            line += ' ';
        } else if (byte < 0x20 || byte == 0x7f) {
            constexpr std::string_view kHex = "0123456789abcdef";
            line += "\\x";
            line += kHex[byte >> 4];
            line += kHex[byte & 15];
        } else {
            line += c;
        }
    }
    return line;
}

std::string_view name_of(Stage stage) { return kStageNames[static_cast<std::size_t>(stage)]; }
std::string_view name_of(Category category) {
    return kCategories[static_cast<std::size_t>(category)].name;
}
std::string_view name_of(Action action) { return kActionNames[static_cast<std::size_t>(action)]; }

std::optional<Stage> parse_stage(std::string_view name) {
    const auto* at = std::find(kStageNames.begin(), kStageNames.end(), name);
    if (at == kStageNames.end()) return std::nullopt;
    return static_cast<Stage>(at - kStageNames.begin());
}

std::optional<Category> parse_category(std::string_view name) {
    for (std::size_t i = 0; i < kCategories.size(); ++i)
        if (kCategories[i].name == name) return static_cast<Category>(i);
    return std::nullopt;
}

Action action_for(Category category, bool permanent) {
    const CategoryRow& row = kCategories[static_cast<std::size_t>(category)];
    return permanent ? row.permanent : row.transient;
}

}  // namespace posthorn
