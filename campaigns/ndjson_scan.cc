#include "campaigns/ndjson_scan.h"

#include <charconv>
#include <cstdint>

#include "engine/mail/utf8.h"

namespace posthorn {

namespace {

// At "\u": the code unit that follows, or -1.
std::int32_t code_unit(std::string_view text, std::size_t at) {
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
    std::uint32_t unit = 0;
    const char* const begin = text.data() + at + 2;
    const auto [end, failure] = std::from_chars(begin, begin + 4, unit, 16);
    return failure == std::errc() && end == begin + 4 ? static_cast<std::int32_t>(unit) : -1;
}

}  // namespace

void NdjsonScan::skip_blank() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
        ++at_;
}

bool NdjsonScan::fail() {
    failed_ = true;
    return false;
}

bool NdjsonScan::take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool NdjsonScan::at_end() {
    skip_blank();
    return at_ == text_.size();
}

bool NdjsonScan::enter_object() {
    skip_blank();
    first_ = true;
    return take('{') || fail();
}

bool NdjsonScan::next_member(std::string_view& key) {
    skip_blank();
    if (take('}')) {
        first_ = false;  // the object around this one has at least this member
        return false;
    }
    if (!first_) {
        if (!take(',')) return fail();
        skip_blank();
    }
    first_ = false;
    const std::size_t start = at_;
    if (!skip_string()) return fail();
    key = text_.substr(start + 1, at_ - start - 2);
    skip_blank();
    if (!take(':')) return fail();
    skip_blank();
    return true;
}

char NdjsonScan::peek() {
    skip_blank();
    return at_ < text_.size() ? text_[at_] : '\0';
}

std::string_view NdjsonScan::value() {
    skip_blank();
    const std::size_t start = at_;
    if (!skip_value(0)) {
        fail();
        return {};
    }
    return text_.substr(start, at_ - start);
}

bool NdjsonScan::skip_value(std::size_t depth) {
    if (at_ >= text_.size() || depth >= kMaxNdjsonDepth) return false;
    switch (text_[at_]) {
        case '"':
            return skip_string();
        case '{':
        case '[':
            return skip_container(depth);
        case 't':
            return skip_word("true");
        case 'f':
            return skip_word("false");
        case 'n':
            return skip_word("null");
        default:
            return skip_number();
    }
}

bool NdjsonScan::skip_container(std::size_t depth) {
    const bool object = text_[at_++] == '{';
    const char end = object ? '}' : ']';
    skip_blank();
    if (take(end)) return true;
    while (true) {
        skip_blank();
        if (object) {
            if (!skip_string()) return false;
            skip_blank();
            if (!take(':')) return false;
            skip_blank();
        }
        if (!skip_value(depth + 1)) return false;
        skip_blank();
        if (take(end)) return true;
        if (!take(',')) return false;
    }
}

bool NdjsonScan::skip_string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
        const auto c = static_cast<unsigned char>(text_[at_]);
        if (c == '"') return ++at_, true;
        if (c < 0x20) return false;
        if (c != '\\') {
            ++at_;
            continue;
        }
        const char name = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (name == 'u') {
            if (code_unit(text_, at_) < 0) return false;
            at_ += 6;
        } else if (name != '\0' && std::string_view("\"\\/bfnrt").find(name) != text_.npos) {
            at_ += 2;
        } else {
            return false;
        }
    }
    return false;
}

bool NdjsonScan::skip_digits() {
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > start;
}

bool NdjsonScan::skip_number() {
    take('-');
    if (!take('0') && !skip_digits()) return false;
    if (take('.') && !skip_digits()) return false;
    if (take('e') || take('E')) {
        if (!take('+')) take('-');
        return skip_digits();
    }
    return true;
}

bool NdjsonScan::skip_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
}

bool append_unescaped(std::string& out, std::string_view inside) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    std::size_t at = 0;
    while (at < inside.size()) {
        const std::size_t escape = inside.find('\\', at);
        out.append(inside.substr(at, escape - at));
        if (escape == std::string_view::npos) return true;
        if (inside[escape + 1] != 'u') {
            out.push_back(kBytes[kNames.find(inside[escape + 1])]);
            at = escape + 2;
            continue;
        }
        const std::int32_t high = code_unit(inside, escape);
        at = escape + 6;
        auto code = static_cast<char32_t>(high);
        if (high >= 0xD800 && high <= 0xDFFF) {
            const std::int32_t low = high < 0xDC00 ? code_unit(inside, at) : -1;
            if (low < 0xDC00 || low > 0xDFFF) return false;
            code = 0x10000 + (static_cast<char32_t>(high - 0xD800) << 10) +
                   static_cast<char32_t>(low - 0xDC00);
            at += 6;
        }
        append_utf8(out, code);
    }
    return true;
}

}  // namespace posthorn
