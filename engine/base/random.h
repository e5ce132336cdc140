// A small seeded generator (xoshiro256**, Blackman and Vigna 2018). Whoever needs chance is handed
// one; nothing below engine/net seeds from the world. Not for secrets.
#pragma once

#include <cstdint>

namespace posthorn {

class Random {
  public:
    explicit Random(std::uint64_t seed);

    std::uint64_t next();

    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);

    // Uniform in [low, high], both included; low <= high.
    std::int64_t between(std::int64_t low, std::int64_t high);

    // Uniform in [0, 1).
    double unit();

    bool chance(double probability) { return unit() < probability; }

  private:
    std::uint64_t state_[4];
};

}  // namespace posthorn
