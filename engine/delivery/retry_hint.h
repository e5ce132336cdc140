// When a reply itself says how long to wait: "try again in 300 seconds", "(60) seconds", "come back
// in 00:04:59". Greylisting refuses whoever returns sooner, so a retry that heeds it never comes
// early.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/delivery/retry_policy.h"
#include "engine/queue/model.h"

namespace posthorn {

inline constexpr Duration kHintMax{
    std::chrono::hours(4)};  // a longer one is not a wait for a retry
inline constexpr Duration kHintedWaitMax = kHintMax + kHintMax / 10 + std::chrono::seconds(5);

// The first wait that the text names; nothing for none, for zero, and beyond kHintMax.
std::optional<Duration> wait_named_in(std::string_view text);

// When a recipient with this reply is due: by the hint, up to a tenth and 5 s later; greylisted
// without one, not before the schedule's step and up to 40 % later; else as the policy says.
WallTime due_after_reply(const RetryPolicy& retry, const AttemptRecord& attempt,
                         std::uint32_t attempts, WallTime first_lease, WallTime now,
                         Random& random);

}  // namespace posthorn
