#include "engine/mail/utf8.h"

#include <cstring>

namespace posthorn {

bool is_ascii(std::string_view text) {
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left >= 8; left -= 8, p += 8) {
        std::uint64_t word;
        std::memcpy(&word, p, 8);
        if ((word & 0x8080808080808080u) != 0) return false;
    }
    for (; left > 0; --left, ++p)
        if ((static_cast<unsigned char>(*p) & 0x80) != 0) return false;
    return true;
}

std::size_t utf8_length(unsigned char lead) {
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    if (lead >= 0xE0) return lead <= 0xEF ? 3 : 1;
    return lead >= 0xC2 ? 2 : 1;
}

CodePoint take_code_point(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(lead);
    if (lead < 0x80) {
        text.remove_prefix(1);
        return {lead, true};
    }
    if (length == 1 || text.size() < length) {
        text.remove_prefix(1);
        return {kReplacementCharacter, false};
    }
    char32_t value = lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) {
            text.remove_prefix(1);
            return {kReplacementCharacter, false};
        }
        value = value << 6 | (byte & 0x3F);
    }
    constexpr char32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < kLowest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        text.remove_prefix(1);
        return {kReplacementCharacter, false};
    }
    text.remove_prefix(length);
    return {value, true};
}

bool valid_utf8(std::string_view text) {
    if (is_ascii(text)) return true;
    while (!text.empty())
        if (!take_code_point(text).valid) return false;
    return true;
}

void append_utf8(std::string& out, char32_t c) {
    const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | c >> 6);
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3F));
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

}  // namespace posthorn
