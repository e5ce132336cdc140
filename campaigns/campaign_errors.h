// What is wrong with a campaign, in the words of the campaign format: every fault carries the JSON
// pointer of its place, a code from a fixed list, a sentence, and what to do. Faults are collected,
// never thrown, so that a person sees all of them at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

// Names of codes are a promise to scripts; add at the end.
enum class CampaignErrorCode : std::uint8_t {
    kJsonSyntax,
    kUnknownField,
    kType,
    kRequired,
    kEnum,
    kRange,
    kConflict,
    kUnsupported,
    kBadAddress,
    kBadDuration,
    kBadRate,
    kBadTime,
    kFileMissing,
    kFileOutside,
    kTemplateSyntax,
    kTemplateUnknownVar,
    kTemplateUnknownFilter,
    kHeaderForbidden,
    kHeaderInjection,
    kRecipientsEmpty,
    kTooManyInvalid,
    kSegmentSyntax,
    kSegmentUnknownField,
    kComplianceAddress,
    kComplianceUnsubscribe,
    kComplianceSubject,
    kDkimKey,
    kDkimWeak,
    kDkimUnaligned,
    kAttachmentMissing,
    kMessageTooBig,
    kSchedulePast,
    kCampaignChanged,
    kListSyntax,         // the recipients' file as a whole cannot be read further
    kListColumns,        // its header does not fit the campaign
    kInvalidRows,        // warning: some rows were rejected
    kReturnPathMissing,  // warning: bounces would go to the From address
    kFromFreemail,
    kTextMissing,
    kOneClickMissing,
    kTemplateUnresolved,
    kHtmlTooLong,
    kMessageLarge,
    kLineTooLong,
    kImageOnly,
    kImageAlt,
    kLinkBroken,
    kLinkInsecure,
    kLinkMisleading,
    kAttachmentUnused,
    kSpamTrigger,
    kRoleAccounts,
    kDnsUnresolved,
    kDnsMx,
    kDnsSpf,
    kDnsDmarc,
    kDnsDkim,
    kDnsPtr,
    kDnsFailed,
};
inline constexpr std::size_t kCampaignErrorCodeCount =
    static_cast<std::size_t>(CampaignErrorCode::kDnsFailed) + 1;
std::string_view name_of(CampaignErrorCode code);  // "json_syntax"
std::optional<CampaignErrorCode> parse_campaign_error_code(std::string_view name);

enum class Severity : std::uint8_t { kError, kWarning };
std::string_view name_of(Severity severity);

struct CampaignError {
    std::string path;  // JSON pointer into the campaign file; empty for the file itself
    CampaignErrorCode code = CampaignErrorCode::kJsonSyntax;
    std::string message;
    std::string hint;          // what to do; may be empty
    std::string file;          // where line and column count; empty: the campaign file
    std::uint32_t line = 0;    // from 1; 0: no place
    std::uint32_t column = 0;  // from 1, in characters
    Severity severity = Severity::kError;

    friend bool operator==(const CampaignError&, const CampaignError&) = default;
};

bool has_errors(const std::vector<CampaignError>& errors);  // warnings are none

// "file:line:column: error code: message" and, indented below it, the hint; one fault after the
// other. Control characters are shown as \xNN, so that a fault cannot drive the terminal.
std::string to_text(const std::vector<CampaignError>& errors, std::string_view campaign_file);

// A JSON array of objects as in the campaign format, on one line each.
std::string to_json(const std::vector<CampaignError>& errors);

}  // namespace posthorn
