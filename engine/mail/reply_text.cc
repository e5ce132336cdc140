#include "engine/mail/reply_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/base/ascii.h"

namespace posthorn {

namespace {

// Base letters of U+00C0..U+00FF and U+0100..U+017F.
constexpr std::string_view kLatin1Base =
    "aaaaaaaceeeeiiiidnoooooxouuuuytsaaaaaaaceeeeiiiidnooooo/ouuuuyty";
constexpr std::string_view kLatinABase =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooo"
    "rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kLatin1Base.size() == 64 && kLatinABase.size() == 128);

constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 section 4.5.3.1.1

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
bool in_local_part(char c) {
    return is_alnum(c) || std::string_view("._%+*~#&-").find(c) != std::string_view::npos;
}
bool in_domain(char c) { return is_alnum(c) || c == '.' || c == '-' || c == '*' || c == '_'; }
bool ends_url(char c) {
    return static_cast<unsigned char>(c) <= ' ' ||
           std::string_view("<>\"'()[]{}|").find(c) != std::string_view::npos;
}

class Folder {
  public:
    Folder(std::string_view in, FoldedReply& out) : in_(in), out_(out) {}

    void run() {
        while (at_ < in_.size() && out_.text.size() < kMaxFoldedBytes) {
            const char c = in_[at_];
            if (static_cast<unsigned char>(c) >= 0x80) {
                wide();
            } else if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
                blank();
                ++at_;
            } else if (c == '@' && address()) {
                continue;
            } else if ((c == 'h' || c == 'H' || c == 'w' || c == 'W') && url()) {
                continue;
            } else {
                out_.text += ascii_lower(c);
                ++at_;
            }
        }
        if (!out_.text.empty() && out_.text.back() == ' ') out_.text.pop_back();
    }

  private:
    void blank() {
        if (!out_.text.empty() && out_.text.back() != ' ') out_.text += ' ';
    }

    bool starts(std::string_view word) const {
        if (in_.size() - at_ < word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i)
            if (ascii_lower(in_[at_ + i]) != word[i]) return false;
        return true;
    }

    bool url() {
        if (at_ > 0 && is_alnum(in_[at_ - 1])) return false;
        if (!starts("http://") && !starts("https://") && !starts("www.")) return false;
        std::size_t end = at_;
        while (end < in_.size() && !ends_url(in_[end])) ++end;
        const std::size_t kept = std::min(end - at_, kMaxFoldedBytes - out_.links.size());
        for (std::size_t i = 0; i + 1 < kept; ++i) out_.links += ascii_lower(in_[at_ + i]);
        if (kept > 0) out_.links += kept == end - at_ ? ascii_lower(in_[end - 1]) : ' ';
        if (out_.links.size() < kMaxFoldedBytes) out_.links += ' ';
        out_.text += "{url}";
        if (const char last = in_[end - 1]; last == '.' || last == ',' || last == ';')
            out_.text += last;
        at_ = end;
        return true;
    }

    // Standing on '@': takes back the local part already written and eats the domain.
    bool address() {
        if (at_ + 1 >= in_.size() || !in_domain(in_[at_ + 1])) return false;
        std::string& text = out_.text;
        std::size_t local = 0;
        while (local < text.size() && local < kMaxLocalPart &&
               in_local_part(text[text.size() - 1 - local]))
            ++local;
        if (local == 0) return false;
        text.resize(text.size() - local);
        ++at_;
        const std::size_t domain = at_;
        while (at_ < in_.size() && in_domain(in_[at_])) ++at_;
        while (at_ > domain && (in_[at_ - 1] == '.' || in_[at_ - 1] == '-')) --at_;
        if (!text.empty() && text.back() == '<') {
            text.pop_back();
            if (at_ < in_.size() && in_[at_] == '>') ++at_;
        }
        text += "<@>";
        return true;
    }

    void code_point(std::uint32_t point, std::size_t length) {
        if (point == 0xA0) {
            blank();
        } else if (point >= 0xC0 && point <= 0xFF) {
            out_.text += kLatin1Base[point - 0xC0];
        } else if (point >= 0x100 && point <= 0x17F) {
            out_.text += kLatinABase[point - 0x100];
        } else if (point == 0x2018 || point == 0x2019) {
            out_.text += '\'';
        } else if (point >= 0x410 && point <= 0x42F) {
            const std::uint32_t small = point + 0x20;
            out_.text += static_cast<char>(0xC0 | (small >> 6));
            out_.text += static_cast<char>(0x80 | (small & 0x3F));
        } else {
            out_.text += in_.substr(at_, length);
        }
        at_ += length;
    }

    void wide() {
        const auto first = static_cast<unsigned char>(in_[at_]);
        std::size_t length = 1;
        if (first >= 0xC2 && first <= 0xDF) length = 2;
        if (first >= 0xE0 && first <= 0xEF) length = 3;
        if (first >= 0xF0 && first <= 0xF4) length = 4;
        bool valid = length > 1 && at_ + length <= in_.size();
        std::uint32_t point = first & (0x7Fu >> length);
        for (std::size_t i = 1; valid && i < length; ++i) {
            valid = is_continuation(in_[at_ + i]);
            point = (point << 6) | (static_cast<unsigned char>(in_[at_ + i]) & 0x3Fu);
        }
        if (valid) {
            code_point(point, length);
        } else {
            out_.text += first >= 0xC0 ? kLatin1Base[first - 0xC0u] : '?';
            ++at_;
        }
    }

    std::string_view in_;
    FoldedReply& out_;
    std::size_t at_ = 0;
};

struct Shape {
    std::size_t digits = 0;
    std::size_t letters = 0;
    std::size_t hex_letters = 0;
    std::size_t dots = 0;
    std::size_t colons = 0;
    std::size_t others = 0;
};

Shape shape_of(std::string_view word) {
    Shape shape;
    for (const char c : word) {
        if (is_digit(c)) {
            ++shape.digits;
        } else if (is_alpha(c)) {
            ++shape.letters;
            if (c <= 'f') ++shape.hex_letters;
        } else if (c == '.') {
            ++shape.dots;
        } else if (c == ':') {
            ++shape.colons;
        } else if (c != '-' && c != '_') {
            ++shape.others;
        }
    }
    return shape;
}

// What stands for a word in a group's key; the word itself if it says something.
std::string_view placeholder(std::string_view word) {
    const Shape shape = shape_of(word);
    const bool plain = shape.others == 0;
    if (plain && shape.letters == 0 && shape.dots == 3 && shape.colons == 0) return "{ip}";
    if (plain && shape.colons >= 2 && shape.letters == shape.hex_letters && shape.digits > 0)
        return "{ip}";
    if (shape.digits > 0 && shape.letters == 0) return "{n}";
    const bool all_hex = plain && shape.letters == shape.hex_letters && shape.dots == 0;
    if (shape.digits > 0 && all_hex && word.size() >= 6) return "{id}";
    if (plain && shape.dots > 0 && shape.letters > 1 && shape.colons == 0) return "{host}";
    if (shape.digits > 0 && word.size() >= 8) return "{id}";
    return word;
}

bool is_punctuation(char c) {
    return std::string_view(".,;:!?()[]<>\"'#=").find(c) != std::string_view::npos;
}

void append_normalised(std::string& out, std::string_view word) {
    if (word.find("<@>") != std::string_view::npos || word.find('{') != std::string_view::npos) {
        out += word;
        return;
    }
    std::size_t front = 0;
    while (front < word.size() && is_punctuation(word[front])) ++front;
    std::size_t back = word.size();
    while (back > front && is_punctuation(word[back - 1])) --back;
    out += word.substr(0, front);
    if (front < back) out += placeholder(word.substr(front, back - front));
    out += word.substr(back);
}

}  // namespace

void fold_reply(std::string_view text, FoldedReply& out) {
    out.text.clear();
    out.links.clear();
    out.text.reserve(std::min(text.size(), kMaxFoldedBytes) + 8);
    Folder(text.substr(0, kMaxReplyBytesRead), out).run();
}

std::string normalise_reply(std::string_view text) {
    FoldedReply folded;
    fold_reply(text, folded);
    std::string out;
    std::string_view rest = folded.text;
    while (!rest.empty() && out.size() < kMaxNormalisedBytes) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (!out.empty()) out += ' ';
        append_normalised(out, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (out.size() > kMaxNormalisedBytes) out.resize(kMaxNormalisedBytes);
    return out;
}

}  // namespace posthorn
