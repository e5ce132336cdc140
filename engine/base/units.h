// Durations ("90s" "10m" "4h" "2d", also "250ms") and rates ("N/s" "N/m" "N/h" "N/d") as people
// write them in campaign files, configuration and sink profiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace posthorn {

// At most count events in any window of this length.
struct Rate {
    std::uint64_t count = 0;
    Duration window = std::chrono::seconds(1);

    friend bool operator==(const Rate&, const Rate&) = default;
};

// A whole number and one unit, no sign, no spaces; nothing else parses. At most ten years.
std::optional<Duration> parse_duration(std::string_view text);
std::optional<Rate> parse_rate(std::string_view text);  // count at least 1, at most 10^9

std::string to_string(Duration duration);   // the largest unit that is exact: "90s", "10m"
std::string in_seconds(Duration duration);  // rounded up to whole seconds: "15s", "10m"
std::string to_string(Rate rate);

// Thousands and millions for eyes, e.g. 1,234,567.
std::string with_separators(std::uint64_t value);

// RFC 3339 in UTC with microseconds: 2026-04-02T07:00:00.000000Z.
std::string rfc3339(WallTime time);

// RFC 3339 with any offset; nullopt for anything else, leap seconds and years before 1970 too.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace posthorn
