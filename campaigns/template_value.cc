#include "campaigns/template_value.h"

#include <algorithm>
#include <cstdint>

#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

void skip_blanks(std::string_view& json) {
    json.remove_prefix(std::min(json.find_first_not_of(kBlanks), json.size()));
}

// Takes a string with its quotes; empty when there is none.
std::string_view take_string(std::string_view& json) {
    if (json.empty() || json.front() != '"') return {};
    for (std::size_t i = 1; i < json.size(); ++i) {
        if (json[i] == '\\') {
            ++i;
        } else if (json[i] == '"') {
            const std::string_view taken = json.substr(0, i + 1);
            json.remove_prefix(i + 1);
            return taken;
        }
    }
    json = {};
    return {};
}

// Takes one value, whatever it holds; empty at the end of input.
std::string_view take_value(std::string_view& json) {
    skip_blanks(json);
    if (json.empty()) return {};
    if (json.front() == '"') return take_string(json);
    const std::string_view start = json;
    if (json.front() != '{' && json.front() != '[') {
        json.remove_prefix(std::min(json.find_first_of(",]} \t\r\n"), json.size()));
        return start.substr(0, start.size() - json.size());
    }
    std::size_t depth = 0;
    while (!json.empty()) {
        const char c = json.front();
        if (c == '"') {
            take_string(json);
            continue;
        }
        json.remove_prefix(1);
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0)
            return start.substr(0, start.size() - json.size());
    }
    return {};
}

bool take_character(std::string_view& json, char wanted) {
    skip_blanks(json);
    if (json.empty() || json.front() != wanted) return false;
    json.remove_prefix(1);
    return true;
}

std::string_view trimmed(std::string_view json) {
    skip_blanks(json);
    while (!json.empty() && kBlanks.find(json.back()) != std::string_view::npos)
        json.remove_suffix(1);
    return json;
}

// Four hex digits; above 0xFFFF when they are none.
std::uint32_t take_hex4(std::string_view& text) {
    if (text.size() < 4) return 0x10000;
    std::uint32_t value = 0;
    for (char c : text.substr(0, 4)) {
        const char lower = static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value << 4 | static_cast<std::uint32_t>(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
        else
            return 0x10000;
    }
    text.remove_prefix(4);
    return value;
}

void append_escape(std::string& out, char letter, std::string_view& rest) {
    constexpr std::string_view kLetters = "bfnrt", kMeanings = "\b\f\n\r\t";
    if (letter != 'u') {
        const std::size_t at = kLetters.find(letter);
        out.push_back(at == std::string_view::npos ? letter : kMeanings[at]);
        return;
    }
    char32_t value = take_hex4(rest);
    if (value >= 0xD800 && value < 0xDC00 && rest.starts_with("\\u")) {
        std::string_view after = rest.substr(2);
        const std::uint32_t low = take_hex4(after);
        if (low >= 0xDC00 && low < 0xE000) {
            value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
            rest = after;
        }
    }
    const bool lone = value >= 0xD800 && value < 0xE000;
    append_utf8(out, lone || value == 0x10000 ? kReplacementCharacter : value);
}

std::string_view unescaped(std::string_view quoted, std::string& scratch) {
    std::string_view rest = quoted.substr(1, quoted.size() - 2);
    if (rest.find('\\') == std::string_view::npos) return rest;
    scratch.clear();
    while (!rest.empty()) {
        const std::size_t run = std::min(rest.find('\\'), rest.size());
        scratch.append(rest.substr(0, run));
        rest.remove_prefix(run);
        if (rest.size() < 2) break;
        const char letter = rest[1];
        rest.remove_prefix(2);
        append_escape(scratch, letter, rest);
    }
    return scratch;
}

bool is_string(std::string_view json) {
    return json.size() >= 2 && json.front() == '"' && json.back() == '"';
}

bool same_key(std::string_view quoted, std::string_view key) {
    if (!is_string(quoted)) return false;
    if (quoted.substr(1, quoted.size() - 2) == key) return true;
    if (quoted.find('\\') == std::string_view::npos) return false;
    std::string scratch;
    return unescaped(quoted, scratch) == key;
}

bool is_zero(std::string_view number) {
    const char first = number.empty() ? 'x' : number.front();
    if (first != '-' && first != '0') return false;
    return number.substr(0, number.find_first_of("eE")).find_first_not_of("-0.") ==
           std::string_view::npos;
}

}  // namespace

bool is_true(const TemplateValue& value) {
    if (!value.is_json) return !value.bytes.empty() && value.bytes != "0" && value.bytes != "false";
    const std::string_view json = trimmed(value.bytes);
    if (json.empty() || json == "null" || json == "false" || json == "\"\"") return false;
    if (json.front() == '[') return json.find_first_not_of(kBlanks, 1) < json.size() - 1;
    return !is_zero(json);
}

bool is_list(const TemplateValue& value) {
    return value.is_json && trimmed(value.bytes).starts_with('[');
}

bool is_object(const TemplateValue& value) {
    return value.is_json && trimmed(value.bytes).starts_with('{');
}

bool is_absent(const TemplateValue& value) {
    return value.missing() || (value.is_json && trimmed(value.bytes) == "null");
}

TemplateValue member_of(const TemplateValue& value, std::string_view key) {
    std::string_view json = value.bytes;
    if (!value.is_json || !take_character(json, '{')) return {{}, true};
    do {
        skip_blanks(json);
        const std::string_view name = take_string(json);
        if (name.empty() || !take_character(json, ':')) break;
        const std::string_view found = take_value(json);
        if (same_key(name, key)) return {found, true};
    } while (take_character(json, ','));
    return {{}, true};
}

std::string_view printed(const TemplateValue& value, std::string& scratch) {
    if (!value.is_json) return value.bytes;
    const std::string_view json = trimmed(value.bytes);
    if (json == "null") return {};
    return is_string(json) ? unescaped(json, scratch) : json;
}

ListElements::ListElements(const TemplateValue& list) {
    std::string_view json = list.bytes;
    if (list.is_json && take_character(json, '[')) rest_ = json;
}

bool ListElements::next(TemplateValue& element) {
    skip_blanks(rest_);
    if (rest_.empty() || rest_.front() == ']') return false;
    element = {take_value(rest_), true};
    if (!take_character(rest_, ',')) rest_ = {};
    return !element.bytes.empty();
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    out.push_back('"');
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte == 0x7F || c == '<' || c == '>' || c == '&') {
            out.append("\\u00");
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

}  // namespace posthorn
