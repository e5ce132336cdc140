#include <array>

#include "engine/mail/mime.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::size_t kPlainValueMax = 60;  // longer values are split (RFC 2231 section 3)
constexpr std::size_t kSectionMax = 60;     // encoded characters of one section

// RFC 2231's attribute-char: a token's characters less *'%.
constexpr std::array<bool, 256> make_attribute() {
    std::array<bool, 256> attribute{};
    for (std::size_t c = 0x21; c < 0x7F; ++c)
        attribute[c] = std::string_view("()<>@,;:\\\"/[]?=*'%").find(static_cast<char>(c)) ==
                       std::string_view::npos;
    return attribute;
}
constexpr std::array<bool, 256> kAttribute = make_attribute();

bool is_attribute(char c) { return kAttribute[static_cast<unsigned char>(c)]; }
bool is_printable(char c) { return c >= 0x20 && c < 0x7F; }

// Characters without controls, bytes that are not UTF-8 replaced.
std::string cleaned(std::string_view value) {
    std::string out;
    while (!value.empty()) {
        const CodePoint point = take_code_point(value);
        const bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
        append_utf8(out, control ? U' ' : point.value);
    }
    return out;
}

std::string percent_encoded(std::string_view character) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (char c : character) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_attribute(c))
            out.push_back(c);
        else
            out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
    return out;
}

void append_extended(std::string& out, std::string_view name, std::string_view value) {
    std::string section;
    std::size_t number = 0;
    const auto flush = [&](bool only) {
        out.append(";\r\n ").append(name);
        if (!only) out.append("*").append(std::to_string(number));
        out.append(number == 0 ? "*=UTF-8''" : "*=").append(section);
        section.clear();
        ++number;
    };
    while (!value.empty()) {
        std::string_view rest = value;
        take_code_point(rest);
        const std::string next = percent_encoded(value.substr(0, value.size() - rest.size()));
        if (section.size() + next.size() > kSectionMax) flush(false);
        section += next;
        value = rest;
    }
    flush(number == 0);
}

}  // namespace

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
    const std::string clean = cleaned(value);
    bool token = !clean.empty(), printable = true;
    for (char c : clean) {
        token = token && is_attribute(c);
        printable = printable && is_printable(c);
    }
    if (!printable || clean.size() > kPlainValueMax) return append_extended(out, name, clean);
    out.append(clean.size() > 20 ? ";\r\n " : "; ").append(name).append("=");
    if (token) {
        out.append(clean);
        return;
    }
    out.push_back('"');
    for (char c : clean) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
}

}  // namespace posthorn
