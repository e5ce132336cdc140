// Decoders written from the standards alone, to hold the encoders against.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::testing_mail {

inline std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find("\r\n", at);
        if (end == std::string_view::npos) {
            lines.emplace_back(text.substr(at));
            break;
        }
        lines.emplace_back(text.substr(at, end - at));
        at = end + 2;
    }
    return lines;
}

inline int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// RFC 2045 section 6.7; records a failure for what it forbids.
inline std::string decode_quoted_printable(std::string_view text) {
    std::string out;
    for (const std::string& line : lines_of(text)) {
        EXPECT_LE(line.size(), 76u) << line;
        bool soft = false;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const char c = line[i];
            if (c != '=') {
                EXPECT_TRUE((c >= 0x20 && c < 0x7F) || c == '\t') << line;
                out += c;
            } else if (i + 1 == line.size()) {
                soft = true;
            } else {
                const int high = hex_value(line[i + 1]);
                const int low = i + 2 < line.size() ? hex_value(line[i + 2]) : -1;
                EXPECT_TRUE(high >= 0 && low >= 0) << line;
                out += static_cast<char>(high * 16 + low);
                i += 2;
            }
        }
        if (!line.empty()) {
            EXPECT_NE(line.back(), ' ');
            EXPECT_NE(line.back(), '\t');
        }
        if (!soft) out += "\r\n";
    }
    return out;
}

inline std::string decode_base64_text(std::string_view text) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0, count = 0;
    for (char c : text) {
        if (c == '=' || c == '\r' || c == '\n') continue;
        const std::size_t value = kAlphabet.find(c);
        EXPECT_NE(value, std::string_view::npos);
        bits = bits << 6 | static_cast<unsigned>(value & 63);
        count += 6;
        if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
    }
    return out;
}

// Encoded words separated by CRLF and a space, nothing else.
inline std::string decode_encoded_words(std::string_view text) {
    std::string out;
    for (std::string line : lines_of(text)) {
        if (line.front() == ' ') line.erase(0, 1);
        EXPECT_LE(line.size(), 75u);
        EXPECT_TRUE(line.starts_with("=?UTF-8?") && line.ends_with("?=")) << line;
        const std::string body = line.substr(10, line.size() - 12);
        EXPECT_EQ(body.find_first_of(" ?"), std::string::npos) << line;
        std::string word;
        if (line[8] == 'B') {
            EXPECT_EQ(body.size() % 4, 0u);
            word = decode_base64_text(body);
        } else {
            for (std::size_t i = 0; i < body.size(); ++i) {
                if (body[i] == '=') {
                    word += static_cast<char>(hex_value(body[i + 1]) * 16 + hex_value(body[i + 2]));
                    i += 2;
                } else {
                    word += body[i] == '_' ? ' ' : body[i];
                }
            }
        }
        EXPECT_FALSE(word.empty());
        EXPECT_NE(static_cast<unsigned char>(word.front()) & 0xC0, 0x80) << "character split";
        out += word;
    }
    return out;
}

}  // namespace posthorn::testing_mail
