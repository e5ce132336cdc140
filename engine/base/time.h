// The two clocks of the engine, as types without now(): time always comes in as an argument, so
// that tests and the simulator own it. Instant never jumps and is meaningless after a restart;
// WallTime is UTC, may jump, and is what is stored.
#pragma once

#include <chrono>
#include <cstdint>

namespace posthorn {

using Duration = std::chrono::microseconds;

struct SteadyClock {
    using rep = std::int64_t;
    using period = std::micro;
    using duration = Duration;
    using time_point = std::chrono::time_point<SteadyClock>;
    static constexpr bool is_steady = true;
};

struct UtcClock {
    using rep = std::int64_t;
    using period = std::micro;
    using duration = Duration;
    using time_point = std::chrono::time_point<UtcClock>;
    static constexpr bool is_steady = false;
};

using Instant = SteadyClock::time_point;  // deadlines of sessions, windows of rates
using WallTime = UtcClock::time_point;    // microseconds since 1970-01-01T00:00:00Z

// The time of one input, by both clocks, read once by the loop that delivers it.
struct Now {
    Instant instant;
    WallTime wall;
};

constexpr std::int64_t to_micros(WallTime time) { return time.time_since_epoch().count(); }
constexpr WallTime wall_from_micros(std::int64_t micros) { return WallTime(Duration(micros)); }

}  // namespace posthorn
