#include "campaigns/campaign_errors.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace posthorn {

namespace {

constexpr std::array<std::string_view, kCampaignErrorCodeCount> kCodeNames = {
    "json_syntax",
    "unknown_field",
    "type",
    "required",
    "enum",
    "range",
    "conflict",
    "unsupported",
    "bad_address",
    "bad_duration",
    "bad_rate",
    "bad_time",
    "file_missing",
    "file_outside",
    "template_syntax",
    "template_unknown_var",
    "template_unknown_filter",
    "header_forbidden",
    "header_injection",
    "recipients_empty",
    "too_many_invalid",
    "segment_syntax",
    "segment_unknown_field",
    "compliance_address",
    "compliance_unsubscribe",
    "compliance_subject",
    "dkim_key",
    "dkim_weak",
    "dkim_unaligned",
    "attachment_missing",
    "message_too_big",
    "schedule_past",
    "campaign_changed",
    "list_syntax",
    "list_columns",
    "invalid_rows",
    "return_path_missing",
    "from_freemail",
    "text_missing",
    "one_click_missing",
    "template_unresolved",
    "html_too_long",
    "message_large",
    "line_too_long",
    "image_only",
    "image_alt",
    "link_broken",
    "link_insecure",
    "link_misleading",
    "attachment_unused",
    "spam_trigger",
    "role_accounts",
    "dns_unresolved",
    "dns_mx",
    "dns_spf",
    "dns_dmarc",
    "dns_dkim",
    "dns_ptr",
    "dns_failed"};

void append_printable(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out.push_back(c);
        } else {
            out += "\\x";
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
}

}  // namespace

std::string_view name_of(CampaignErrorCode code) {
    return kCodeNames[static_cast<std::size_t>(code)];
}

std::optional<CampaignErrorCode> parse_campaign_error_code(std::string_view name) {
    for (std::size_t i = 0; i < kCodeNames.size(); ++i)
        if (kCodeNames[i] == name) return static_cast<CampaignErrorCode>(i);
    return std::nullopt;
}

std::string_view name_of(Severity severity) {
    return severity == Severity::kError ? "error" : "warning";
}

bool has_errors(const std::vector<CampaignError>& errors) {
    return std::any_of(errors.begin(), errors.end(), [](const CampaignError& error) {
        return error.severity == Severity::kError;
    });
}

std::string to_text(const std::vector<CampaignError>& errors, std::string_view campaign_file) {
    std::string out;
    for (const CampaignError& error : errors) {
        append_printable(out, error.file.empty() ? campaign_file : std::string_view(error.file));
        if (error.line > 0)
            out += ":" + std::to_string(error.line) + ":" + std::to_string(error.column);
        out += ": ";
        out += name_of(error.severity);
        out += " ";
        out += name_of(error.code);
        out += ": ";
        append_printable(out, error.message);
        if (!error.path.empty()) {
            out += " [";
            append_printable(out, error.path);
            out += "]";
        }
        out += "\n";
        if (error.hint.empty()) continue;
        out += "    ";
        append_printable(out, error.hint);
        out += "\n";
    }
    return out;
}

std::string to_json(const std::vector<CampaignError>& errors) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const CampaignError& error : errors) {
        nlohmann::ordered_json item = {{"path", error.path},
                                       {"code", name_of(error.code)},
                                       {"message", error.message},
                                       {"hint", error.hint},
                                       {"line", error.line},
                                       {"column", error.column},
                                       {"severity", name_of(error.severity)}};
        if (!error.file.empty()) item["file"] = error.file;
        list.push_back(std::move(item));
    }
    return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace posthorn
