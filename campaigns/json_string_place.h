// Where in a JSON file a place inside one of its strings stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posthorn {

// The offset in json of the character at line and column (from 1, in characters) of the string that
// begins, with its quote, at string_offset. The string's end when it is shorter.
std::size_t place_in_json_string(std::string_view json, std::size_t string_offset,
                                 std::uint32_t line, std::uint32_t column);

}  // namespace posthorn
