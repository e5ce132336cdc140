// What stands inside a tag: a name and the filters behind it; and what the name means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/template_program.h"

namespace posthorn {

struct TagFault {
    CampaignErrorCode code = CampaignErrorCode::kTemplateSyntax;
    std::string message;
    std::string hint;
};

struct TagExpression {
    std::string_view name;
    std::vector<FilterCall> filters;
};

// "name | filter: argument | …"; nullopt with the fault filled in when it is none.
std::optional<TagExpression> parse_expression(std::string_view inside, TagFault& fault);

enum class NameKind : std::uint8_t { kConstant, kColumn, kBuiltIn, kUnknown };

struct Resolved {
    NameKind kind = NameKind::kUnknown;
    TemplateName name;
    BuiltIn built_in = BuiltIn::kUnsubscribeUrl;
    bool reserved = false;
};

// By its first part, and a path into that one's value; only Posthorn's own names have dots.
Resolved resolve(std::string_view name, const TemplateNames& names);

// The known name that was probably meant, as a hint; else the known names.
std::string name_hint(std::string_view wrong, const TemplateNames& names);
std::string filter_hint(std::string_view wrong);
std::string partial_hint(std::string_view wrong, const TemplateNames& names);

}  // namespace posthorn
