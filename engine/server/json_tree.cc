#include "engine/server/json_tree.h"

#include <algorithm>

namespace posthorn {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

}  // namespace

// Recursive descent; every function returns false once a fault is noted.
class JsonTreeParser {
  public:
    explicit JsonTreeParser(std::string_view text) : text_(text) {}

    std::variant<JsonTree, JsonTreeFault> parse() {
        JsonTree root;
        if (text_.size() > kJsonTreeBytesMax) {
            fail("the file is larger than 4 MiB");
        } else if (skip_blanks() && value(root, 0) && skip_blanks() && !at_end()) {
            fail("nothing may follow the closing brace");
        }
        if (fault_) return *fault_;
        return root;
    }

  private:
    bool at_end() const { return at_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    TextPlace place() const { return {line_, column_}; }

    void step() {
        const auto byte = static_cast<unsigned char>(text_[at_++]);
        if (byte == '\n') {
            ++line_;
            column_ = 1;
        } else if ((byte & 0xC0) != 0x80) {
            ++column_;
        }
    }

    bool fail(std::string message) { return fail_at(place(), std::move(message)); }
    bool fail_at(TextPlace where, std::string message) {
        if (!fault_) fault_ = JsonTreeFault{where, std::move(message)};
        return false;
    }

    bool skip_blanks() {
        while (!at_end()) {
            const char c = peek();
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                step();
            } else if (text_.substr(at_, 2) == "//") {
                while (!at_end() && peek() != '\n') step();
            } else if (text_.substr(at_, 2) == "/*") {
                const TextPlace start = place();
                const std::size_t end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos) return fail_at(start, "a comment without end");
                while (at_ < end + 2) step();
            } else {
                break;
            }
        }
        return true;
    }

    bool value(JsonTree& out, int depth) {
        out.place = place();
        if (depth == kJsonTreeDepthMax) return fail("nested too deeply");
        switch (peek()) {
            case '{':
                return object(out, depth);
            case '[':
                return array(out, depth);
            case '"':
                out.kind = JsonTree::Kind::kString;
                return string(out.text);
            case 't':
                out.boolean = true;
                return word("true", out, JsonTree::Kind::kBoolean);
            case 'f':
                return word("false", out, JsonTree::Kind::kBoolean);
            case 'n':
                return word("null", out, JsonTree::Kind::kNull);
            default:
                return number(out);
        }
    }

    bool word(std::string_view expected, JsonTree& out, JsonTree::Kind kind) {
        if (text_.substr(at_, expected.size()) != expected) return fail("not a JSON value");
        for (std::size_t i = 0; i < expected.size(); ++i) step();
        out.kind = kind;
        return true;
    }

    bool number(JsonTree& out) {
        const std::size_t start = at_;
        const auto digits = [this] {
            const std::size_t first = at_;
            while (is_digit(peek())) step();
            return at_ > first;
        };
        if (peek() == '-') step();
        const bool leading_zero = peek() == '0';
        const std::size_t first_digit = at_;
        if (!digits()) return fail("not a JSON value");
        if (leading_zero && at_ > first_digit + 1) return fail("a number may not begin with 0");
        if (peek() == '.') {
            step();
            if (!digits()) return fail("digits must follow the point");
        }
        if (peek() == 'e' || peek() == 'E') {
            step();
            if (peek() == '+' || peek() == '-') step();
            if (!digits()) return fail("digits must follow the exponent");
        }
        out.kind = JsonTree::Kind::kNumber;
        out.text = text_.substr(start, at_ - start);
        return true;
    }

    bool string(std::string& out) {
        const TextPlace start = place();
        step();
        while (true) {
            if (at_end()) return fail_at(start, "a string without its closing quote");
            const char c = peek();
            if (static_cast<unsigned char>(c) < 0x20)
                return fail("a control character in a string");
            if (c == '"') {
                step();
                return true;
            }
            if (c == '\\') {
                if (!escape(out)) return false;
            } else {
                out.push_back(c);
                step();
            }
        }
    }

    bool escape(std::string& out) {
        static constexpr std::string_view kLetters = "\"\\/bfnrt";
        static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
        step();
        if (peek() == 'u') return unicode_escape(out);
        const std::size_t index = at_end() ? std::string_view::npos : kLetters.find(peek());
        if (index == std::string_view::npos) return fail("an unknown escape in a string");
        out.push_back(kMeanings[index]);
        step();
        return true;
    }

    bool unicode_escape(std::string& out) {
        std::uint32_t high = 0;
        if (!hex4(high)) return false;
        if (high >= 0xD800 && high < 0xDC00) {
            std::uint32_t low = 0;
            if (peek() != '\\') return fail("half of a surrogate pair");
            step();
            if (!hex4(low)) return false;
            if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
            high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        } else if (high >= 0xDC00 && high <= 0xDFFF) {
            return fail("half of a surrogate pair");
        }
        append_utf8(out, high);
        return true;
    }

    bool hex4(std::uint32_t& out) {
        if (peek() != 'u') return fail("half of a surrogate pair");
        step();
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            const std::string_view digits = "0123456789abcdef";
            const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
            const std::size_t digit = at_end() ? std::string_view::npos : digits.find(lower);
            if (digit == std::string_view::npos) return fail("\\u needs four hexadecimal digits");
            out = out << 4 | static_cast<std::uint32_t>(digit);
            step();
        }
        return true;
    }

    bool array(JsonTree& out, int depth) {
        out.kind = JsonTree::Kind::kArray;
        step();
        if (!skip_blanks()) return false;
        while (peek() != ']') {
            if (!value(out.items.emplace_back(), depth + 1) || !skip_blanks()) return false;
            if (peek() == ']') break;
            if (peek() != ',') return fail("a comma or ] must follow");
            step();
            if (!skip_blanks()) return false;
            if (peek() == ']') return fail("a comma too many");
        }
        step();
        return true;
    }

    bool object(JsonTree& out, int depth) {
        out.kind = JsonTree::Kind::kObject;
        step();
        if (!skip_blanks()) return false;
        while (peek() != '}') {
            if (!member(out, depth)) return false;
            if (peek() == '}') break;
            if (peek() != ',') return fail("a comma or } must follow");
            step();
            if (!skip_blanks()) return false;
            if (peek() == '}') return fail("a comma too many");
        }
        step();
        return true;
    }

    bool member(JsonTree& out, int depth) {
        JsonTree::Member member;
        member.place = place();
        if (peek() != '"') return fail("a key in double quotes must stand here");
        if (!string(member.key) || !skip_blanks()) return false;
        const auto same = [&](const JsonTree::Member& other) { return other.key == member.key; };
        if (std::any_of(out.members.begin(), out.members.end(), same))
            return fail_at(member.place, "'" + member.key + "' is given twice");
        if (peek() != ':') return fail("a colon must follow the key");
        step();
        if (!skip_blanks() || !value(member.value, depth + 1) || !skip_blanks()) return false;
        out.members.push_back(std::move(member));
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1, column_ = 1;
    std::optional<JsonTreeFault> fault_;
};

std::variant<JsonTree, JsonTreeFault> parse_json_tree(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    return JsonTreeParser(text).parse();
}

std::string_view words_for(JsonTree::Kind kind) {
    switch (kind) {
        case JsonTree::Kind::kNull:
            return "null";
        case JsonTree::Kind::kBoolean:
            return "true or false";
        case JsonTree::Kind::kNumber:
            return "a number";
        case JsonTree::Kind::kString:
            return "a string";
        case JsonTree::Kind::kArray:
            return "an array";
        case JsonTree::Kind::kObject:
            return "an object";
    }
    return "a value";
}

}  // namespace posthorn
