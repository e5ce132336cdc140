#include "campaigns/template_filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "campaigns/template_escape.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"default", "upper",    "lower",     "title",
                                                     "trim",    "truncate", "urlencode", "date",
                                                     "number",  "json"};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n\f\v";
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

bool is_word_character(char32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '\'' || c == 0x2019 || c >= 0xAA;
}

void append_cased(std::string& out, std::string_view text, Filter filter) {
    bool inside = false;  // a word
    while (!text.empty()) {
        const char32_t c = take_code_point(text).value;
        const bool up = filter == Filter::kUpper || (filter == Filter::kTitle && !inside);
        append_utf8(out, up ? upper_case(c) : lower_case(c));
        inside = is_word_character(c);
    }
}

void append_truncated(std::string& out, std::string_view text, std::int64_t characters) {
    std::string_view rest = text;
    std::size_t cut = 0;  // bytes of all but the last permitted character
    for (std::int64_t count = 0; !rest.empty(); ++count) {
        if (count == characters) {
            out.append(trimmed(text.substr(0, cut))).append(characters > 0 ? "…" : "");
            return;
        }
        if (count + 1 <= characters - 1) {
            take_code_point(rest);
            cut = text.size() - rest.size();
        } else {
            take_code_point(rest);
        }
    }
    out.append(text);
}

// -?digits[.digits]
bool is_decimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "0";
    constexpr std::string_view kDigits = "0123456789";
    return !whole.empty() && whole.size() <= 18 && !fraction.empty() && fraction.size() <= 18 &&
           whole.find_first_not_of(kDigits) == std::string_view::npos &&
           fraction.find_first_not_of(kDigits) == std::string_view::npos;
}

void append_grouped(std::string& out, std::string_view digits) {
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
        out.push_back(digits[i]);
    }
}

// Rounds half up, in decimal, so that 1.005 with two decimals is 1.01. is_decimal() bounds the
// digits: one for a carry, 18 whole, 18 of the fraction.
void append_number(std::string& out, std::string_view text, std::int64_t decimals) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
    const std::size_t wanted = decimals < 0
                                   ? fraction.size()
                                   : static_cast<std::size_t>(std::min<std::int64_t>(decimals, 18));
    std::array<char, 1 + 18 + 18> digits;
    digits.fill('0');
    std::copy_n(text.begin(), point, digits.begin() + 1);
    std::copy_n(fraction.begin(), std::min(wanted, fraction.size()), digits.data() + 1 + point);
    const std::size_t end = 1 + point + wanted;
    if (fraction.size() > wanted && fraction[wanted] >= '5') {
        std::size_t at = end - 1;
        while (digits[at] == '9') digits[at--] = '0';
        ++digits[at];
    }
    std::string_view whole(digits.data(), 1 + point);
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size() - 1));
    if (negative) out.push_back('-');
    append_grouped(out, whole);
    if (wanted > 0) out.append(".").append(digits.data() + 1 + point, wanted);
}

std::string_view result_of(std::string& scratch, std::string_view text, const FilterCall& call) {
    scratch.clear();
    switch (call.filter) {
        case Filter::kUpper:
        case Filter::kLower:
        case Filter::kTitle:
            append_cased(scratch, text, call.filter);
            return scratch;
        case Filter::kTrim:
            return trimmed(text);
        case Filter::kTruncate:
            append_truncated(scratch, text, call.number);
            return scratch;
        case Filter::kUrlencode:
            append_percent_encoded(scratch, text);
            return scratch;
        case Filter::kDate:
            return append_formatted_date(scratch, trimmed(text), call.text) ? scratch : text;
        case Filter::kNumber:
            if (!is_decimal(trimmed(text))) return text;
            append_number(scratch, trimmed(text), call.number);
            return scratch;
        case Filter::kDefault:
        case Filter::kJson:
            break;
    }
    return text;
}

}  // namespace

std::optional<Filter> parse_filter(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<Filter>(found - kNames.begin());
}

std::span<const std::string_view> filter_names() { return kNames; }

std::string_view argument_fault(const FilterCall& call, bool has_argument) {
    switch (call.filter) {
        case Filter::kDefault:
            return has_argument ? "" : "default needs a value: default: \"there\"";
        case Filter::kTruncate:
            return call.number > 0 ? "" : "truncate needs a number of characters: truncate: 20";
        case Filter::kNumber:
            return !has_argument || (call.number >= 0 && call.number <= 18)
                       ? ""
                       : "number takes a number of decimals: number: 2";
        case Filter::kDate:
            return "";
        default:
            return has_argument ? "this filter takes no value" : "";
    }
}

// A filter may hand on its input, or part of it: the next one writes where its input does not lie.
TemplateValue apply_filters(std::span<const FilterCall> calls, TemplateValue value,
                            std::string (&scratch)[3]) {
    std::size_t free = 0;
    for (const FilterCall& call : calls) {
        value = apply_filter(call, value, scratch[free], scratch[2]);
        const std::less_equal<const char*> not_after;
        const std::string& written = scratch[free];
        const bool lies_there = not_after(written.data(), value.bytes.data()) &&
                                not_after(value.bytes.data(), written.data() + written.size());
        if (lies_there) free = 1 - free;
    }
    return value;
}

TemplateValue apply_filter(const FilterCall& call, TemplateValue value, std::string& scratch,
                           std::string& printed_value) {
    if (call.filter == Filter::kDefault) {
        const bool wanted =
            is_absent(value) || value.bytes.empty() || (value.is_json && value.bytes == "\"\"");
        return wanted ? TemplateValue{call.text, false} : value;
    }
    if (call.filter == Filter::kJson) {
        if (value.missing()) return {"null", false};
        if (value.is_json) return {value.bytes, false};
        scratch.clear();
        append_json_string(scratch, value.bytes);
        return {scratch, false};
    }
    if (is_absent(value)) return value;
    if (!value.is_json) return {result_of(scratch, value.bytes, call), false};
    const std::string_view result = result_of(scratch, printed(value, printed_value), call);
    if (result.data() != scratch.data()) scratch.assign(result);
    return {scratch, false};
}

}  // namespace posthorn
