// What was seen at one domain or one MX host: connections at once, and the highest rates.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/base/time.h"

namespace posthorn::sink {

// The most events in any window of a length, the window placed at steps of a 20th of it: never
// more than there were in some true window of that length.
class PeakRate {
  public:
    explicit PeakRate(Duration window) : step_(window / kSteps) {}

    void add(Instant now);
    std::uint32_t peak() const { return peak_; }

  private:
    static constexpr std::int64_t kSteps = 20;

    Duration step_;
    std::array<std::uint32_t, kSteps> counts_{};
    std::int64_t newest_ = 0;  // number of the newest step since the clock's epoch
    std::uint32_t sum_ = 0;
    std::uint32_t peak_ = 0;
};

struct Traffic {
    std::uint64_t asked = 0;  // recipients
    std::uint64_t accepted = 0;
    std::uint32_t connections = 0;
    std::uint32_t connections_peak = 0;
    PeakRate in_second{std::chrono::seconds(1)};  // of recipients asked for
    PeakRate in_minute{std::chrono::seconds(60)};

    void connected() { connections_peak = std::max(connections_peak, ++connections); }
    void disconnected() { --connections; }
    void recipient_asked(Instant now);
};

}  // namespace posthorn::sink
