// What a site takes and does not tell: most of it is found within ten minutes, and kept to. The
// receivers count as large providers do, in tokens, and refuse everything for a while when there
// are none.
#include <gtest/gtest.h>

#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Hidden {
    double rate, burst;  // recipients, a second and at once
    Duration penalty;
    std::uint32_t sessions_max;
    Duration latency_max;
    std::uint64_t seed;
};

class HiddenLimit : public testing::TestWithParam<Hidden> {};

void hide(Mood& mood, const Hidden& hidden) {
    mood.hidden_rate = hidden.rate;
    mood.hidden_burst = hidden.burst;
    mood.penalty = hidden.penalty;
    mood.sessions_max = hidden.sessions_max;
    mood.latency_max = hidden.latency_max;
}

struct Tally {
    double attempts, slowed;
};

Tally in_the_next(SchedulerWorld& world, Duration span) {
    const std::uint64_t attempts = world.attempts("big.test");
    const std::uint64_t slowed = world.told_to_slow_down("big.test");
    world.run_for(span);
    return {static_cast<double>(world.attempts("big.test") - attempts),
            static_cast<double>(world.told_to_slow_down("big.test") - slowed)};
}

void expect_nearly_all(const Tally& tally, double limit, Duration span) {
    const double most = limit * std::chrono::duration<double>(span).count();
    EXPECT_GE(tally.attempts - tally.slowed, 0.75 * most);
    EXPECT_LE(tally.slowed, 0.02 * tally.attempts);
}

TEST_P(HiddenLimit, IsFoundWithinTenMinutesAndThenHardlyEverExceeded) {
    const Hidden& hidden = GetParam();
    SchedulerWorld world({}, hidden.seed);
    world.add_campaign(1);
    world.add_lane(1, "big.test", static_cast<std::uint32_t>(hidden.rate * 2000));
    hide(world.mood("big.test"), hidden);
    world.begin();
    world.run_for(minutes(10));
    expect_nearly_all(in_the_next(world, minutes(15)), hidden.rate, minutes(15));
}

INSTANTIATE_TEST_SUITE_P(OfMany, HiddenLimit,
                         testing::Values(Hidden{30, 60, seconds(15), 10, milliseconds(150), 1},
                                         Hidden{20, 30, seconds(30), 8, milliseconds(300), 2},
                                         Hidden{15, 20, seconds(20), 5, milliseconds(200), 3},
                                         Hidden{5, 5, seconds(30), 10, milliseconds(100), 4},
                                         Hidden{2, 120, seconds(10), 3, milliseconds(500), 5}));

TEST(ChangingLimit, IsFollowedDownAndUp) {
    SchedulerWorld world({}, 9);
    world.add_campaign(1);
    world.add_lane(1, "big.test", 40'000);
    Mood& mood = world.mood("big.test");
    hide(mood, {20, 40, seconds(15), 10, milliseconds(100), 0});
    world.begin();
    world.run_for(minutes(10));
    mood.hidden_rate = 6;
    mood.hidden_burst = 12;
    world.run_for(minutes(10));
    expect_nearly_all(in_the_next(world, minutes(10)), 6, minutes(10));
    mood.hidden_rate = 20;
    mood.hidden_burst = 40;
    world.run_for(minutes(20));
    const Tally tally = in_the_next(world, minutes(10));
    EXPECT_GE(tally.attempts - tally.slowed, 0.5 * 20 * 600) << "more is found step by step";
}

TEST(HiddenConnections, AreFoundWithoutAnyRecipientPaying) {
    SchedulerWorld world({}, 10);
    world.add_campaign(1);
    world.add_lane(1, "big.test", 5000);
    world.mood("big.test").sessions_max = 3;
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.attempts("big.test"), 5000u);
    EXPECT_EQ(world.most_sessions("big.test"), 3u);
}

TEST(LearntPace, IsKeptAcrossARestart) {
    SchedulerWorld world({}, 11);
    world.add_campaign(1);
    world.add_lane(1, "big.test", 30'000);
    hide(world.mood("big.test"), {10, 20, seconds(15), 10, milliseconds(100), 0});
    world.begin();
    world.run_for(minutes(10));
    world.crash();
    world.begin();
    expect_nearly_all(in_the_next(world, minutes(10)), 10, minutes(10));
    const auto view = world.scheduler().explain("big.test", world.now());
    ASSERT_TRUE(view);
    ASSERT_EQ(view->site.paces.size(), 1u);
    EXPECT_NEAR(view->site.paces[0].second, 10, 1.5);
}

}  // namespace
}  // namespace posthorn
