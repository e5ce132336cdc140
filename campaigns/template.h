// Templates: Mustache (the published core specification) with if, unless, each, else and filters,
// compiled once into a flat program. Names become positions in the audience row or fold into the
// text; escaping is chosen per tag from where it stands (HTML text, attribute, URL, header).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign_errors.h"

namespace posthorn {

enum class MissingPolicy : std::uint8_t {
    kError,  // a variable without a value refuses the recipient
    kEmpty,  // prints nothing
    kKeep,   // prints the tag as written
};

enum class TemplateKind : std::uint8_t {
    kText,    // nothing is escaped
    kHtml,    // escaped by context
    kHeader,  // nothing is escaped here; whoever writes the header cleans and encodes it
    kUrl,     // values are percent-encoded
};

struct TemplateConstant {
    std::string name;
    std::string value;  // text, or one JSON value
    bool is_json = false;

    friend bool operator==(const TemplateConstant&, const TemplateConstant&) = default;
};

struct TemplatePartial {
    std::string name;
    std::string text;
    std::string file = {};  // for faults
};

// What the names in a template stand for. Lives only while compiling. Outside a section {{.}} is
// the column of that name.
struct TemplateNames {
    const std::vector<std::string>* columns = nullptr;
    const std::vector<TemplateConstant>* constants = nullptr;  // under the columns
    const std::vector<TemplateConstant>* reserved = nullptr;   // above them: campaign.id, …
    const std::vector<TemplatePartial>* partials = nullptr;
};

// Built-in names whose value differs by recipient come before the columns in the table of slots.
enum class BuiltIn : std::uint8_t {
    kUnsubscribeUrl,
    kUnsubscribeToken,
    kRecipientEmail,
    kRecipientName,
    kRecipientDomain,
};
inline constexpr std::size_t kBuiltInCount = 5;

// Limits of what one template may ask for.
inline constexpr std::size_t kTemplateBytesMax = 4u << 20;
inline constexpr std::size_t kTemplateDepthMax = 32;  // sections or partials, one inside another
inline constexpr std::size_t kTemplateValueBytesMax = 1u << 20;  // one value, filtered and escaped

// Where a template was written, for its faults.
struct TemplatePlace {
    std::string_view path;  // JSON pointer into the campaign file
    std::string_view file;  // the template file; empty: inside the campaign file
};

class Program;  // campaigns/template_program.h

// Compiles; faults are appended, all of them. The program is usable when none is an error.
Program compile_template(std::string_view text, TemplateKind kind, MissingPolicy missing,
                         const TemplateNames& names, const TemplatePlace& place,
                         std::vector<CampaignError>& faults);

}  // namespace posthorn
