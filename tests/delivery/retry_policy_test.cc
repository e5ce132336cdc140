#include "engine/delivery/retry_policy.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(RetryPolicy, StepsFollowTheScheduleWithJitterAndTheLastRepeats) {
    RetryPolicy policy;
    policy.schedule = {minutes(5), minutes(30)};
    Random random(1);
    const WallTime now{hours(1000)};
    for (int i = 0; i < 1000; ++i) {
        const Duration first = policy.next_due(1, now, now, random) - now;
        EXPECT_GE(first, minutes(4));
        EXPECT_LE(first, minutes(6));
        const Duration later = policy.next_due(9, now, now, random) - now;
        EXPECT_GE(later, minutes(24));
        EXPECT_LE(later, minutes(36));
    }
}

TEST(RetryPolicy, NoRetryIsDueBeyondTheExpiry) {
    RetryPolicy policy;
    policy.age_max = hours(1);
    Random random(2);
    const WallTime first{hours(1000)};
    EXPECT_EQ(policy.next_due(6, first, first + minutes(50), random), first + hours(1));
    EXPECT_FALSE(policy.expired(first, first + minutes(59)));
    EXPECT_TRUE(policy.expired(first, first + hours(1)));
}

}  // namespace
}  // namespace posthorn
