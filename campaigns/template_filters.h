// The filters of templates: {{ x | default: "there" | upper }}. Each takes a value and gives one;
// what a filter cannot read (a date that is none) passes unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "campaigns/template_value.h"

namespace posthorn {

enum class Filter : std::uint8_t {
    kDefault,    // default: "text"     for a value that is missing or empty
    kUpper,      // upper
    kLower,      // lower
    kTitle,      // title               Each Word Begun With A Capital
    kTrim,       // trim
    kTruncate,   // truncate: 20        characters, the last of them …
    kUrlencode,  // urlencode
    kDate,       // date: "%d %B %Y"    of 2026-04-02, 2026-04-02T07:00:00Z or Unix seconds
    kNumber,     // number: 2           1,234.50; without argument the decimals stay as they are
    kJson,       // json
};

struct FilterCall {
    Filter filter = Filter::kDefault;
    std::string text;          // the argument, when there is one
    std::int64_t number = -1;  // the same as a number, when it is one; at most 10^6
};

std::optional<Filter> parse_filter(std::string_view name);
std::span<const std::string_view> filter_names();

// What is wrong with the argument of a call, empty when nothing is.
std::string_view argument_fault(const FilterCall& call, bool has_argument);

// All calls in turn. The result may lie in scratch, which is overwritten; value does not.
TemplateValue apply_filters(std::span<const FilterCall> calls, TemplateValue value,
                            std::string (&scratch)[3]);

// One call, likewise; a JSON string is unescaped into printed.
TemplateValue apply_filter(const FilterCall& call, TemplateValue value, std::string& scratch,
                           std::string& printed_value);

// Appends the date that text writes; false when it writes none. Formats as strftime's, in English:
// Y y m d e B b A a H I l M S p %.
bool append_formatted_date(std::string& out, std::string_view text, std::string_view format);

// Simple case mapping of Latin, Greek and Cyrillic letters.
char32_t upper_case(char32_t letter);
char32_t lower_case(char32_t letter);

}  // namespace posthorn
