#include "engine/mail/encodings.h"

#include <array>
#include <cstdint>

#include "engine/mail/mime.h"

namespace posthorn {
namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Two characters for every 12 bits: half the look-ups of the plain table.
struct Pairs {
    char at[4096][2];
};
constexpr Pairs make_pairs(const char* alphabet) {
    Pairs pairs{};
    for (std::size_t i = 0; i < 4096; ++i) {
        pairs.at[i][0] = alphabet[i >> 6];
        pairs.at[i][1] = alphabet[i & 63];
    }
    return pairs;
}
constexpr Pairs kStandardPairs = make_pairs(kStandard);

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
}

// Writes the encoding of bytes at to, which has room; returns its end.
char* write_base64(char* to, std::string_view bytes, const char* alphabet, bool padded) {
    std::size_t i = 0;
    if (alphabet == kStandard) {
        for (; i + 3 <= bytes.size(); i += 3) {
            const std::uint32_t group =
                byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
            *to++ = kStandardPairs.at[group >> 12][0];
            *to++ = kStandardPairs.at[group >> 12][1];
            *to++ = kStandardPairs.at[group & 4095][0];
            *to++ = kStandardPairs.at[group & 4095][1];
        }
    }
    for (; i < bytes.size(); i += 3) {
        const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
        std::uint32_t group = byte_at(bytes, i) << 16;
        if (count > 1) group |= byte_at(bytes, i + 1) << 8;
        if (count > 2) group |= byte_at(bytes, i + 2);
        for (std::size_t k = 0; k < 4; ++k) {
            if (k <= count)
                *to++ = alphabet[group >> (18 - 6 * k) & 63];
            else if (padded)
                *to++ = '=';
        }
    }
    return to;
}

void append_encoded(std::string& out, std::string_view bytes, const char* alphabet, bool padded) {
    const std::size_t start = out.size();
    out.resize(start + (bytes.size() + 2) / 3 * 4);
    const char* end = write_base64(out.data() + start, bytes, alphabet, padded);
    out.resize(static_cast<std::size_t>(end - out.data()));
}

std::array<std::int8_t, 256> make_values(const char* alphabet) {
    std::array<std::int8_t, 256> values;
    values.fill(-1);
    for (std::size_t i = 0; i < 64; ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}

std::optional<std::string> decode(std::string_view text,
                                  const std::array<std::int8_t, 256>& table) {
    std::string out;
    out.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (char c : text) {
        const std::int8_t value = table[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
    if (count >= 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
    return out;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
    append_encoded(out, bytes, kStandard, true);
}

void append_base64url(std::string& out, std::string_view bytes) {
    append_encoded(out, bytes, kUrl, false);
}

void append_base64_lines(std::string& out, std::string_view bytes) {
    constexpr std::size_t kBytesPerLine = kEncodedLineMax / 4 * 3;
    const std::size_t start = out.size();
    out.resize(start + base64_lines_size(bytes.size()));
    char* to = out.data() + start;
    for (std::size_t i = 0; i < bytes.size(); i += kBytesPerLine) {
        to = write_base64(to, bytes.substr(i, kBytesPerLine), kStandard, true);
        *to++ = '\r';
        *to++ = '\n';
    }
}

std::optional<std::string> decode_base64(std::string_view text) {
    static const auto table = make_values(kStandard);
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
    return decode(text, table);
}

std::optional<std::string> decode_base64url(std::string_view text) {
    static const auto table = make_values(kUrl);
    return decode(text, table);
}

void append_quoted_printable(std::string& out, std::string_view text) {
    QuotedPrintableBody body(out);
    body.value(text);
    body.close();
}

std::size_t quoted_printable_size(std::string_view text) {
    std::size_t size = 0;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= 0x20 && byte < 0x7F && byte != '=') || byte == '\t';
        size += plain || byte == '\r' || byte == '\n' ? 1 : 3;
    }
    return size;
}

}  // namespace posthorn
