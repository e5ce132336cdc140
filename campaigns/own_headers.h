// Headers and metadata of single recipients, which inline recipients may have. They travel in
// audience rows as JSON objects, under names of variables that no list can give.
#pragma once

#include <string>
#include <string_view>

#include "campaigns/template_value.h"

namespace posthorn {

inline constexpr char kReservedColumnStart = '\x1f';
inline constexpr std::string_view kOwnHeadersColumn = "\x1fheaders";
inline constexpr std::string_view kOwnMetadataColumn = "\x1fmetadata";

// A list may not have a column of such a name.
inline bool is_reserved_column(std::string_view name) {
    return name.starts_with(kReservedColumnStart);
}

// Whether a recipient has a header of this name, in any case.
bool has_own_header(const TemplateValue& headers, std::string_view name);

// Appends all of them, encoded and folded. Names were looked at when the campaign was read.
void append_own_headers(std::string& out, const TemplateValue& headers);

}  // namespace posthorn
