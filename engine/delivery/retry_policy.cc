#include "engine/delivery/retry_policy.h"

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {

WallTime RetryPolicy::next_due(std::uint32_t attempts, WallTime first_lease, WallTime now,
                               Random& random) const {
    CHECK(attempts >= 1 && !schedule.empty());
    const std::size_t step = std::min<std::size_t>(attempts, schedule.size()) - 1;
    const std::int64_t base = schedule[step].count();
    const Duration wait(random.between(base - base / 5, base + base / 5));
    return std::max(now, std::min(now + wait, first_lease + age_max));
}

Duration RetryPolicy::longest_wait() const {
    const Duration longest = *std::max_element(schedule.begin(), schedule.end());
    return longest + longest * 2 / 5;
}

}  // namespace posthorn
