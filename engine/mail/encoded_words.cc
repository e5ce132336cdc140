#include <algorithm>
#include <array>

#include "engine/mail/encodings.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::string_view kStart = "=?UTF-8?";  // then B? or Q?
constexpr std::size_t kOverhead = kStart.size() + 4;
constexpr std::size_t kRoomMin = 12;  // with less, the word begins on the next line

// What stands for itself in Q. In a phrase RFC 2047 section 5 (3) permits little else; elsewhere
// printable ASCII but = ? _ and the space, which is written as _.
constexpr std::array<bool, 256> make_literal(bool phrase) {
    std::array<bool, 256> literal{};
    for (std::size_t c = 0x21; c < 0x7F; ++c) {
        const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '!' || c == '*' || c == '+' || c == '-' ||
                          c == '/';
        literal[c] = phrase ? word : c != '=' && c != '?' && c != '_';
    }
    literal[' '] = true;
    return literal;
}
constexpr std::array<bool, 256> kPhraseLiteral = make_literal(true);
constexpr std::array<bool, 256> kTextLiteral = make_literal(false);

// The next character as it goes into a header: its UTF-8, cleaned.
struct Character {
    char bytes[4];
    std::size_t size = 0;
    std::string_view view() const { return {bytes, size}; }
};

Character take_character(std::string_view& text) {
    const std::string_view before = text;
    const CodePoint point = take_code_point(text);
    Character character;
    if (!point.valid) {
        character = {{'\xEF', '\xBF', '\xBD'}, 3};
    } else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) ||
               point.value == 0x2028 || point.value == 0x2029) {
        character = {{' '}, 1};
    } else {
        character.size = before.size() - text.size();
        for (std::size_t i = 0; i < character.size; ++i) character.bytes[i] = before[i];
    }
    return character;
}

std::size_t q_size(std::string_view bytes, const std::array<bool, 256>& literal) {
    std::size_t size = 0;
    for (char c : bytes) size += literal[static_cast<unsigned char>(c)] ? 1 : 3;
    return size;
}

void append_q(std::string& out, std::string_view bytes, const std::array<bool, 256>& literal) {
    constexpr char kHex[] = "0123456789ABCDEF";
    for (char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (!literal[byte]) {
            const char encoded[] = {'=', kHex[byte >> 4], kHex[byte & 15]};
            out.append(encoded, 3);
        } else {
            out.push_back(c == ' ' ? '_' : c);
        }
    }
}

// Fills one word with as many whole characters as fit into room encoded ones.
void append_word(std::string& out, std::string_view& text, bool use_q, std::size_t room,
                 const std::array<bool, 256>& literal) {
    std::array<char, kEncodedWordMax> bytes;
    std::size_t count = 0, q = 0;
    while (!text.empty()) {
        std::string_view rest = text;
        const Character next = take_character(rest);
        const std::size_t q_more = use_q ? q_size(next.view(), literal) : 0;
        if (use_q ? q + q_more > room : count + next.size > room / 4 * 3) break;
        for (char c : next.view()) bytes[count++] = c;
        q += q_more;
        text = rest;
    }
    out.append(kStart);
    out.append(use_q ? "Q?" : "B?");
    const std::string_view word(bytes.data(), count);
    if (use_q)
        append_q(out, word, literal);
    else
        append_base64(out, word);
    out.append("?=");
}

}  // namespace

void append_encoded_words(std::string& out, std::string_view text, EncodedWordPlace place,
                          std::size_t& column) {
    const auto& literal = place == EncodedWordPlace::kPhrase ? kPhraseLiteral : kTextLiteral;
    const bool use_q = q_size(text, literal) <= (text.size() + 2) / 3 * 4;
    bool first = true;
    while (!text.empty()) {
        std::size_t limit =
            std::min(kEncodedWordMax, kEncodedLineMax - std::min(column, kEncodedLineMax));
        if (!first || limit < kOverhead + kRoomMin) {
            out.append("\r\n ");
            column = 1;
            limit = kEncodedWordMax;
        }
        first = false;
        const std::size_t start = out.size();
        append_word(out, text, use_q, limit - kOverhead, literal);
        column += out.size() - start;
    }
}

}  // namespace posthorn
