// UTF-8 (RFC 3629), read strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

bool is_ascii(std::string_view text);
bool valid_utf8(std::string_view text);

// Takes the next code point off the front of text, which is not empty. A byte that starts none is
// taken alone and gives kReplacementCharacter with valid false.
struct CodePoint {
    char32_t value = 0;
    bool valid = true;
};
CodePoint take_code_point(std::string_view& text);

void append_utf8(std::string& out, char32_t code_point);

// Bytes of the UTF-8 sequence that a lead byte announces; 1 for anything else.
std::size_t utf8_length(unsigned char lead);

}  // namespace posthorn
