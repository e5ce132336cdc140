// What a segment compares: a value of a row, of the segment or of the clock, and the order of two.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "campaigns/template_value.h"
#include "engine/base/time.h"

namespace posthorn {

struct SegmentValue {
    enum class Kind : std::uint8_t { kNull, kText, kNumber, kTruth, kTime, kJson };
    Kind kind = Kind::kNull;
    std::string_view text;  // of kText and kNumber as written; of kJson the array or object
    double number = 0;      // kNumber; kTruth as 0 or 1
    WallTime time;
    bool listed = false;  // comes from a list, where everything is written as text

    static SegmentValue null() { return {}; }
    static SegmentValue of_text(std::string_view text);
    static SegmentValue of_number(double number, std::string_view written);
    static SegmentValue of_truth(bool truth);
    static SegmentValue of_time(WallTime time);

    // Views the row's bytes, or the scratch that an escaped string of JSON is decoded into.
    static SegmentValue of_variable(const RowVariable& variable, std::string& scratch);
};

bool equal(const SegmentValue& a, const SegmentValue& b);

// Nothing where neither is less: a null, or kinds that have no order.
std::optional<std::strong_ordering> ordered(const SegmentValue& a, const SegmentValue& b);

// RFC 3339, or a date with or without a time of day, in UTC.
std::optional<WallTime> segment_time(std::string_view text);

}  // namespace posthorn
