#include "campaigns/json_position.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "engine/mail/utf8.h"

namespace posthorn {

// Recursive descent; every function returns false after it has noted a fault.
class JsonScanner {
  public:
    JsonScanner(std::string_view text, JsonPositions& out) : text_(text), out_(out) {}

    void run() {
        if (text_.size() > kMaxJsonBytes) {
            fail("the file is larger than 16 MiB", "put recipients into a list file");
            return;
        }
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
        if (!skip_blank() || !scan_value(at_, 0) || !skip_blank()) return;
        if (at_ < text_.size())
            fail("there is more text after the end of the JSON value", "remove it");
    }

  private:
    bool fail(std::string message, std::string hint) {
        return fail_at(at_, std::move(message), std::move(hint));
    }

    bool fail_at(std::size_t offset, std::string message, std::string hint) {
        if (!out_.syntax_fault_)
            out_.syntax_fault_ = JsonFault{path_, offset, std::move(message), std::move(hint)};
        return false;
    }

    bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

    // Blanks and comments.
    bool skip_blank() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                ++at_;
            } else if (c == '/') {
                if (!skip_comment()) return false;
            } else {
                break;
            }
        }
        return true;
    }

    bool skip_comment() {
        const std::size_t start = at_;
        const std::string_view rest = text_.substr(start);
        if (rest.starts_with("//")) {
            at_ = std::min(text_.find_first_of("\r\n", start), text_.size());
        } else if (rest.starts_with("/*")) {
            const std::size_t end = text_.find("*/", start + 2);
            if (end == std::string_view::npos) return fail("a comment does not end", "add */");
            at_ = end + 2;
        } else {
            return fail("'/' starts no comment", "write // or /* … */");
        }
        const std::size_t nul = text_.substr(0, at_).find('\0', start);
        return nul == std::string_view::npos || fail_at(nul, "a comment holds a NUL byte", "");
    }

    bool scan_value(std::size_t key_offset, std::size_t depth) {
        if (depth >= kMaxJsonDepth) return fail("values are nested more than 32 deep", "");
        if (out_.places_.size() >= kMaxJsonValues)
            return fail("the file holds more than 1,000,000 values",
                        "put recipients into a list file");
        if (at_ >= text_.size()) return fail("the file ends where a value is expected", "");
        path_bytes_ += path_.size();
        if (path_bytes_ > kMaxPathBytes) return fail("the keys of the file are too long", "");
        out_.places_.emplace(path_, JsonPlace{at_, depth == 0 ? at_ : key_offset});
        const char c = text_[at_];
        if (c == '{') return scan_object(depth);
        if (c == '[') return scan_array(depth);
        if (c == '"') return scan_string(nullptr);
        if (c == '-' || (c >= '0' && c <= '9')) return scan_number();
        return scan_word();
    }

    bool scan_object(std::size_t depth) {
        ++at_;
        if (!skip_blank()) return false;
        if (at('}')) return ++at_, true;
        while (true) {
            if (!scan_member(depth) || !skip_blank()) return false;
            if (at('}')) return ++at_, true;
            if (!at(',')) return fail("',' or '}' is expected here", hint_for_separator());
            const std::size_t comma = at_++;
            if (!skip_blank()) return false;
            if (at('}')) return fail_at(comma, "a comma stands before '}'", "remove the comma");
        }
    }

    bool scan_member(std::size_t depth) {
        const std::size_t key_offset = at_;
        if (!at('"'))
            return fail("a key in double quotes is expected here",
                        at('\'') ? "use double quotes" : "");
        std::string key;
        if (!scan_string(&key) || !skip_blank()) return false;
        if (!at(':')) return fail("':' is expected after the key", "");
        ++at_;
        if (!skip_blank()) return false;
        const std::size_t parent = path_.size();
        append_pointer(path_, key);
        if (out_.places_.contains(path_)) {
            if (out_.duplicate_keys_.size() < kMaxDuplicates)
                out_.duplicate_keys_.push_back(
                    {path_, key_offset, "'" + key + "' is given twice", "keep one of them"});
        }
        const bool ok = scan_value(key_offset, depth + 1);
        if (ok) path_.resize(parent);
        return ok;
    }

    bool scan_array(std::size_t depth) {
        ++at_;
        if (!skip_blank()) return false;
        if (at(']')) return ++at_, true;
        for (std::size_t index = 0;; ++index) {
            const std::size_t parent = path_.size();
            append_pointer(path_, std::to_string(index));
            if (!scan_value(at_, depth + 1)) return false;
            path_.resize(parent);
            if (!skip_blank()) return false;
            if (at(']')) return ++at_, true;
            if (!at(',')) return fail("',' or ']' is expected here", hint_for_separator());
            const std::size_t comma = at_++;
            if (!skip_blank()) return false;
            if (at(']')) return fail_at(comma, "a comma stands before ']'", "remove the comma");
        }
    }

    std::string hint_for_separator() const {
        return at_ < text_.size() ? "add a comma after the value before it"
                                  : "the file ends too early";
    }

    // At the opening quote; decodes into key if it is asked for.
    bool scan_string(std::string* key) {
        const std::size_t start = at_++;
        while (at_ < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '"') return ++at_, true;
            if (c == '\n' || c == '\r')
                return fail_at(start, "a string does not end on its line",
                               "close it with a double quote, write line breaks as \\n");
            if (c < 0x20) return fail("a string holds a control character", "write it as \\u00XX");
            if (c == '\\') {
                if (!scan_escape(key)) return false;
                continue;
            }
            std::string_view rest = text_.substr(at_);
            if (!take_code_point(rest).valid)
                return fail("the file is not UTF-8 here", "save it as UTF-8");
            const std::size_t length = text_.size() - at_ - rest.size();
            if (key != nullptr) key->append(text_, at_, length);
            at_ += length;
        }
        return fail_at(start, "a string does not end", "close it with a double quote");
    }

    bool scan_escape(std::string* key) {
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
        const char name = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        const std::size_t known = kNames.find(name);
        if (name != '\0' && known != std::string_view::npos) {
            if (key != nullptr) key->push_back(kBytes[known]);
            at_ += 2;
            return true;
        }
        if (name != 'u') return fail("'\\' starts no known escape", "write a backslash as \\\\");
        return scan_unicode_escape(key);
    }

    std::optional<char32_t> four_hex(std::size_t from) const {
        if (from + 4 > text_.size()) return std::nullopt;
        std::uint32_t code = 0;
        const char* const begin = text_.data() + from;
        const auto [end, failure] = std::from_chars(begin, begin + 4, code, 16);
        if (failure != std::errc() || end != begin + 4) return std::nullopt;
        return code;
    }

    bool scan_unicode_escape(std::string* key) {
        const auto high = four_hex(at_ + 2);
        if (!high) return fail("\\u is followed by four hexadecimal digits", "");
        char32_t code = *high;
        std::size_t length = 6;
        if (code >= 0xD800 && code <= 0xDFFF) {
            const bool pair = code < 0xDC00 && text_.substr(at_ + 6).starts_with("\\u");
            const auto low = pair ? four_hex(at_ + 8) : std::nullopt;
            if (!low || *low < 0xDC00 || *low > 0xDFFF)
                return fail("half of a surrogate pair stands alone", "");
            code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
            length = 12;
        }
        if (key != nullptr) append_utf8(*key, code);
        at_ += length;
        return true;
    }

    bool take_digits() {
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return at_ > start;
    }

    bool scan_number() {
        const std::size_t start = at_;
        const auto bad = [&] { return fail_at(start, "this is not a number", ""); };
        if (at('-')) ++at_;
        if (at('0')) {
            ++at_;
        } else if (!take_digits()) {
            return bad();
        }
        if (at('.') && (++at_, !take_digits())) return bad();
        if (at('e') || at('E')) {
            ++at_;
            if (at('+') || at('-')) ++at_;
            if (!take_digits()) return bad();
        }
        if (at_ - start > kMaxNumberBytes) return bad();
        if (!std::isfinite(
                std::strtod(std::string(text_.substr(start, at_ - start)).c_str(), nullptr)))
            return fail_at(start, "this number is larger than any that can be held", "");
        return true;
    }

    bool scan_word() {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return true;
            }
        }
        if (at('\'')) return fail("a value stands in single quotes", "use double quotes");
        return fail("a value is expected here", "text stands in double quotes");
    }

    static constexpr std::size_t kMaxDuplicates = 100;
    static constexpr std::size_t kMaxNumberBytes = 64;
    static constexpr std::size_t kMaxPathBytes = 64u << 20;  // of all entries of the index

    std::string_view text_;
    JsonPositions& out_;
    std::size_t at_ = 0;
    std::string path_;
    std::size_t path_bytes_ = 0;
};

JsonPositions JsonPositions::scan(std::string_view text) {
    JsonPositions positions;
    JsonScanner(text, positions).run();
    return positions;
}

JsonPlace JsonPositions::place_of(std::string_view pointer) const {
    std::string path(pointer);
    while (true) {
        if (const auto found = places_.find(path); found != places_.end()) return found->second;
        const std::size_t slash = path.rfind('/');
        if (slash == std::string::npos) return {};
        path.resize(slash);
    }
}

LineColumn line_column(std::string_view text, std::size_t offset) {
    LineColumn place;
    if (offset > text.size()) offset = text.size();
    const std::string_view before = text.substr(0, offset);
    std::size_t line_start = before.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    for (std::size_t at = before.find('\n'); at != std::string_view::npos;
         at = before.find('\n', at + 1)) {
        ++place.line;
        line_start = at + 1;
    }
    for (std::size_t i = line_start; i < before.size(); ++i)
        if ((static_cast<unsigned char>(before[i]) & 0xC0) != 0x80) ++place.column;
    return place;
}

void append_pointer(std::string& pointer, std::string_view key) {
    pointer.push_back('/');
    for (const char c : key) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer.push_back(c);
        }
    }
}

}  // namespace posthorn
