#include "campaigns/segment_value.h"

#include <charconv>
#include <cmath>

#include "engine/base/units.h"

namespace posthorn {

namespace {

using Kind = SegmentValue::Kind;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<double> number_of(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
        return std::nullopt;
    return number;
}

std::optional<bool> truth_of(std::string_view text) {
    text = trimmed(text);
    if (text == "true" || text == "TRUE" || text == "True") return true;
    if (text == "false" || text == "FALSE" || text == "False") return false;
    return std::nullopt;
}

// The value as one of this kind; null when it is none.
SegmentValue as(Kind kind, const SegmentValue& value) {
    if (value.kind == kind) return value;
    if (kind == Kind::kTime) {
        if (value.kind == Kind::kNumber && std::abs(value.number) < 1e11)
            return SegmentValue::of_time(
                wall_from_micros(static_cast<std::int64_t>(value.number * 1e6)));
        if (value.kind != Kind::kText) return {};
        const auto time = segment_time(value.text);
        return time ? SegmentValue::of_time(*time) : SegmentValue{};
    }
    if (value.kind != Kind::kText || !value.listed) return {};
    if (kind == Kind::kNumber) {
        const auto number = number_of(value.text);
        return number ? SegmentValue::of_number(*number, value.text) : SegmentValue{};
    }
    if (kind == Kind::kTruth) {
        const auto truth = truth_of(value.text);
        return truth ? SegmentValue::of_truth(*truth) : SegmentValue{};
    }
    return {};
}

// Two values of a list are numbers when both can be.
void align(SegmentValue& a, SegmentValue& b) {
    for (const Kind kind : {Kind::kTime, Kind::kNumber, Kind::kTruth}) {
        if (a.kind != kind && b.kind != kind) continue;
        a = as(kind, a);
        b = as(kind, b);
        return;
    }
    if (!a.listed || !b.listed || a.kind != Kind::kText || b.kind != Kind::kText) return;
    const SegmentValue left = as(Kind::kNumber, a), right = as(Kind::kNumber, b);
    if (left.kind != Kind::kNumber || right.kind != Kind::kNumber) return;
    a = left;
    b = right;
}

template <class Value>
std::strong_ordering order_of(const Value& a, const Value& b) {
    return a < b   ? std::strong_ordering::less
           : b < a ? std::strong_ordering::greater
                   : std::strong_ordering::equal;
}

}  // namespace

SegmentValue SegmentValue::of_text(std::string_view text) {
    SegmentValue value;
    value.kind = Kind::kText;
    value.text = text;
    return value;
}

SegmentValue SegmentValue::of_number(double number, std::string_view written) {
    SegmentValue value;
    value.kind = Kind::kNumber;
    value.number = number;
    value.text = written;
    return value;
}

SegmentValue SegmentValue::of_truth(bool truth) {
    SegmentValue value;
    value.kind = Kind::kTruth;
    value.number = truth ? 1 : 0;
    return value;
}

SegmentValue SegmentValue::of_time(WallTime time) {
    SegmentValue value;
    value.kind = Kind::kTime;
    value.time = time;
    return value;
}

SegmentValue SegmentValue::of_variable(const RowVariable& variable, std::string& scratch) {
    SegmentValue value;
    if (is_absent(variable)) return value;
    const bool structured = is_list(variable) || is_object(variable);
    value.text = structured ? variable.bytes : printed(variable, scratch);
    value.listed = true;
    value.kind = structured ? Kind::kJson : Kind::kText;
    if (!variable.is_json || structured || variable.bytes.find('"') != std::string_view::npos)
        return value;
    if (const auto truth = truth_of(value.text)) return of_truth(*truth);
    if (const auto number = number_of(value.text)) return of_number(*number, value.text);
    return value;
}

bool equal(const SegmentValue& a, const SegmentValue& b) {
    if (a.kind == Kind::kNull || b.kind == Kind::kNull) return a.kind == b.kind;
    if (a.kind == Kind::kJson && b.kind == Kind::kJson) return a.text == b.text;
    const auto order = ordered(a, b);
    return order && *order == std::strong_ordering::equal;
}

std::optional<std::strong_ordering> ordered(const SegmentValue& a, const SegmentValue& b) {
    SegmentValue left = a, right = b;
    align(left, right);
    if (left.kind != right.kind) return std::nullopt;
    switch (left.kind) {
        case Kind::kText:
            return order_of(left.text, right.text);
        case Kind::kNumber:
        case Kind::kTruth:
            return order_of(left.number, right.number);
        case Kind::kTime:
            return order_of(left.time, right.time);
        case Kind::kNull:
        case Kind::kJson:
            break;
    }
    return std::nullopt;
}

std::optional<WallTime> segment_time(std::string_view text) {
    constexpr std::size_t kDateBytes = 10, kMinutesBytes = 16, kSecondsBytes = 19;
    text = trimmed(text);
    if (text.size() < kDateBytes || text.size() > 40) return std::nullopt;
    std::string whole(text);
    if (text.size() > kDateBytes && whole[kDateBytes] == ' ') whole[kDateBytes] = 'T';
    if (text.size() == kDateBytes) return parse_rfc3339(whole + "T00:00:00Z");
    if (text.size() == kMinutesBytes) return parse_rfc3339(whole + ":00Z");
    if (text.size() == kSecondsBytes) return parse_rfc3339(whole + "Z");
    return parse_rfc3339(whole);
}

}  // namespace posthorn
