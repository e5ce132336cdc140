#include "tools/sink/json_text.h"

#include <algorithm>
#include <cstdint>

namespace posthorn::sink {

namespace {

bool is_plain(char c) {
    const auto code = static_cast<unsigned char>(c);
    return code >= 0x20 && code < 0x7f && c != '"' && c != '\\';
}

// Octets of the UTF-8 character at the front; 0 if there is none (RFC 3629 section 4).
std::size_t character_bytes(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = octet(0);
    const std::size_t count = first < 0x80                     ? 1
                              : first >= 0xc2 && first <= 0xdf ? 2
                              : first >= 0xe0 && first <= 0xef ? 3
                              : first >= 0xf0 && first <= 0xf4 ? 4
                                                               : 0;
    if (count == 0 || count > text.size()) return 0;
    std::uint32_t code = count == 1 ? first : first & (0x7fu >> count);
    for (std::size_t i = 1; i < count; ++i) {
        if ((octet(i) & 0xc0u) != 0x80) return 0;
        code = code << 6 | (octet(i) & 0x3fu);
    }
    const bool overlong = (count == 3 && code < 0x800) || (count == 4 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return overlong || surrogate || code > 0x10ffff ? 0 : count;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto odd = std::find_if_not(text.begin(), text.end(), is_plain);
        const auto plain = static_cast<std::size_t>(odd - text.begin());
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;
        const char c = text.front();
        std::size_t taken = 1;
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x80) {
            out += "\\u00";
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[static_cast<unsigned char>(c) & 0xf];
        } else if (const std::size_t count = character_bytes(text)) {
            out.append(text.substr(0, count));
            taken = count;
        } else {
            out += "\xef\xbf\xbd";
        }
        text.remove_prefix(taken);
    }
    out += '"';
}

}  // namespace posthorn::sink
