#include "campaigns/json_string_place.h"

#include <algorithm>

#include "engine/mail/utf8.h"

namespace posthorn {

std::size_t place_in_json_string(std::string_view json, std::size_t string_offset,
                                 std::uint32_t line, std::uint32_t column) {
    if (string_offset >= json.size() || json[string_offset] != '"') return string_offset;
    std::string_view rest = json.substr(string_offset + 1);
    std::uint32_t at_line = 1, at_column = 1;
    while (!rest.empty() && rest.front() != '"') {
        if (at_line == line && at_column == column) break;
        const bool escaped = rest.front() == '\\' && rest.size() > 1;
        const bool new_line = escaped && rest[1] == 'n';
        if (!escaped) {
            take_code_point(rest);
        } else if (rest[1] == 'u') {
            // The second half of a pair is no character of its own.
            const bool pair = rest.size() > 8 && (rest[2] == 'd' || rest[2] == 'D') &&
                              std::string_view("89abAB").find(rest[3]) != std::string_view::npos;
            rest.remove_prefix(std::min<std::size_t>(pair ? 12 : 6, rest.size()));
        } else {
            rest.remove_prefix(2);
        }
        at_column = new_line ? 1 : at_column + 1;
        at_line += new_line ? 1 : 0;
    }
    return json.size() - rest.size();
}

}  // namespace posthorn
