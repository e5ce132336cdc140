// At most N events in any window of a given length: a ring of sub-buckets, counted conservatively,
// so that no placement of the window sees more than N (a token bucket would let twice as many
// through). Events are reserved before they happen; what did not happen is given back.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/base/units.h"

namespace posthorn {

class RateWindow {
  public:
    explicit RateWindow(Rate rate) : rate_(rate) {}

    const Rate& rate() const { return rate_; }

    // A new limit; what was counted stays counted if the window has the same length.
    void set_rate(Rate rate);

    std::uint64_t available(Instant now);
    void take(std::uint64_t count, Instant now);                      // count <= available(now)
    void give_back(std::uint64_t count, Instant taken, Instant now);  // of what was taken then

    // When available() grows next; now if it is positive already.
    Instant next_available(Instant now);

    // What is counted, by wall time, for a later process: it counts each event no shorter than
    // this one would have. Anything malformed, or of a window of another length, restores nothing
    // and is false.
    std::string stored(Now now) const;
    bool restore(std::string_view stored, Now now);

  private:
    // 64 to the window, and the one being left: what is counted so long costs 1/64 of the rate.
    static constexpr std::size_t kBuckets = 65;

    Duration bucket_length() const { return rate_.window / (kBuckets - 1); }
    void advance(Instant now);

    Rate rate_;
    std::array<std::uint32_t, kBuckets> counts_{};
    std::int64_t newest_ = 0;  // number of the newest bucket since the clock's epoch
    std::uint64_t used_ = 0;   // sum of counts_
};

}  // namespace posthorn
