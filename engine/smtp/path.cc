#include "engine/smtp/path.h"

#include <algorithm>

#include "engine/smtp/capabilities.h"
#include "engine/smtp/limits.h"

namespace posthorn {

namespace {

// The position of the bracket that closes a path whose text starts at 1, respecting quoted strings.
std::size_t find_closing_bracket(std::string_view path) {
    bool quoted = false;
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (quoted && path[i] == '\\') {
            ++i;
        } else if (path[i] == '"') {
            quoted = !quoted;
        } else if (path[i] == '>' && !quoted) {
            return i;
        }
    }
    return std::string_view::npos;
}

}  // namespace

std::optional<PathArgument> parse_path(std::string_view argument, std::string_view keyword) {
    if (!equal_ignoring_case(argument.substr(0, keyword.size()), keyword)) return std::nullopt;
    argument.remove_prefix(keyword.size());
    if (argument.empty() || argument.front() != '<') return std::nullopt;
    const std::size_t end = find_closing_bracket(argument);
    if (end == std::string_view::npos || end > kPathBytesMax) return std::nullopt;
    PathArgument path{argument.substr(1, end - 1), argument.substr(end + 1)};
    if (!path.parameters.empty() && path.parameters.front() != ' ') return std::nullopt;
    if (!path.address.empty() && path.address.front() == '@') {  // source route: ignored
        const std::size_t colon = path.address.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        path.address.remove_prefix(colon + 1);
    }
    return path;
}

bool plausible_address(std::string_view address, bool utf8) {
    if (address.size() > kPathBytesMax) return false;
    bool quoted = false;
    std::size_t at = std::string_view::npos;
    for (std::size_t i = 0; i < address.size(); ++i) {
        const auto c = static_cast<unsigned char>(address[i]);
        if (c < 0x20 || c == 0x7f || (c > 0x7f && !utf8)) return false;
        if (quoted && c == '\\') {
            const bool printable =
                i + 1 < address.size() && address[i + 1] >= 0x20 && address[i + 1] < 0x7f;
            if (!printable) return false;
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            if (c == ' ' || c == '<' || c == '>' || c == '\\') return false;
            if (c == '@') at = i;
        }
    }
    return !quoted && at != std::string_view::npos && at > 0 && at + 1 < address.size();
}

bool plausible_hello_name(std::string_view name) {
    return !name.empty() && name.size() <= kHelloNameBytesMax &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace posthorn
