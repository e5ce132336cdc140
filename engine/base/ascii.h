// Letters of ASCII without regard to case, whatever the locale: domains, header names and keywords
// of protocols are compared so. Octets beyond ASCII stay as they are.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace posthorn {

constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline void ascii_lower(std::string& text) {
    for (char& c : text) c = ascii_lower(c);
}

inline std::string ascii_lowered(std::string_view text) {
    std::string lowered(text);
    ascii_lower(lowered);
    return lowered;
}

inline bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

}  // namespace posthorn
