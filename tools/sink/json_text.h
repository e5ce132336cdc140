// Writes strings as JSON (RFC 8259 section 7).
#pragma once

#include <string>
#include <string_view>

namespace posthorn::sink {

// In quotes; octets that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace posthorn::sink
