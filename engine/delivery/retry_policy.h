// When a deferred recipient is tried again: the campaign's schedule with jitter, its last step
// repeating, bounded by a number of attempts and an age counted from the recipient's first lease.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"

namespace posthorn {

struct RetryPolicy {
    std::vector<Duration> schedule = {std::chrono::minutes(5),  std::chrono::minutes(15),
                                      std::chrono::minutes(30), std::chrono::hours(1),
                                      std::chrono::hours(2),    std::chrono::hours(4)};
    std::uint32_t attempts_max = 12;
    Duration age_max{std::chrono::hours(48)};
    bool hold_uncertain = false;  // an uncertain recipient is final, never attempted again

    // When the next attempt is due after `attempts` (>= 1), jitter of +-20 % included. Never later
    // than the recipient's expiry, at which it is picked up to be expired instead.
    WallTime next_due(std::uint32_t attempts, WallTime first_lease, WallTime now,
                      Random& random) const;

    Duration longest_wait() const;  // that the schedule ever gives, greylisted or not

    bool exhausted(std::uint32_t attempts) const { return attempts >= attempts_max; }
    bool expired(WallTime first_lease, WallTime now) const { return now >= first_lease + age_max; }
};

}  // namespace posthorn
