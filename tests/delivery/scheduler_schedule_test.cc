// Campaigns with a time to begin and windows, in the scheduler's small world.
#include <gtest/gtest.h>

#include "engine/delivery/scheduler.h"
#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Open every day between two times of day.
class DailyHours final : public SendingHours {
  public:
    DailyHours(Duration start, Duration end) : start_(start), end_(end) {}

    Period at(WallTime time) const override {
        const Duration of_day = time.time_since_epoch() % Duration(hours(24));
        const WallTime midnight = time - of_day;
        if (of_day < start_) return {false, midnight + start_};
        if (of_day < end_) return {true, midnight + end_};
        return {false, midnight + hours(24) + start_};
    }

  private:
    Duration start_, end_;
};

std::shared_ptr<const SendingHours> daily(Duration start, Duration end) {
    return std::make_shared<DailyHours>(start, end);
}

Duration time_of_day(const SchedulerWorld& world) {
    return world.now().wall.time_since_epoch() % Duration(hours(24));
}

TEST(SchedulerSchedule, NothingIsSentBeforeItsTime) {
    SchedulerWorld world({}, 1);
    CampaignPlan& plan = world.add_campaign(1);
    const WallTime send_at = world.now().wall + hours(1);
    plan.schedule.send_at = send_at;
    world.add_lane(1, "a.test", 100);
    world.begin();
    EXPECT_EQ(world.scheduler().campaign(1)->waits_until(), send_at);
    world.run_for(minutes(59));
    EXPECT_EQ(world.attempts("a.test"), 0u);
    EXPECT_EQ(world.scheduler().campaign(1)->plan.record.started, WallTime());
    world.run_for(minutes(3));
    EXPECT_GE(world.scheduler().campaign(1)->plan.record.started, send_at);
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 100u);
}

TEST(SchedulerSchedule, AClosedWindowStopsACampaignWithinSecondsAndTheNextGoesOn) {
    SchedulerWorld world({}, 2);
    const Duration now = time_of_day(world);
    CampaignPlan& plan = world.add_campaign(1);
    plan.throttle.all.rate = Rate{2, seconds(1)};
    plan.schedule.hours = daily(now - minutes(5), now + minutes(10));
    world.add_lane(1, "a.test", 1200);
    world.begin();
    const Instant closes = world.now().instant + minutes(10);
    world.run_for(hours(2));
    const std::uint64_t first_day = world.attempts("a.test");
    EXPECT_GT(first_day, 700u);
    EXPECT_LT(first_day, 1200u);
    EXPECT_LT(world.attempt_times("a.test").back(), closes + seconds(3));
    EXPECT_TRUE(world.scheduler().campaign(1)->waits_until().has_value());
    world.run_until_finished(hours(30));
    EXPECT_EQ(world.deliveries(1), 1200u);
    EXPECT_EQ(world.extra_deliveries(1), 0u);
    EXPECT_GE(world.attempt_times("a.test")[first_day], closes + hours(24) - minutes(15));
}

TEST(SchedulerSchedule, OneThatEndsAsItsWindowClosesIsFinishedThen) {
    // In some of these worlds the reply comes before the window closes, in most behind it.
    int behind = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SchedulerWorld world({}, seed);
        const Duration now = time_of_day(world);
        world.add_campaign(1).schedule.hours = daily(now, now + milliseconds(200));
        world.add_lane(1, "a.test", 1);
        world.mood("a.test").latency_max = milliseconds(900);
        world.begin();
        world.run_for(milliseconds(250));
        if (world.deliveries(1) == 0) ++behind;
        world.run_for(minutes(1));
        EXPECT_EQ(world.deliveries(1) == 1, world.finished()) << seed;
    }
    EXPECT_GT(behind, 3);
}

TEST(SchedulerSchedule, OneThatIsTooLateWaitsForTheOperator) {
    SchedulerWorld world({}, 4);
    CampaignPlan& plan = world.add_campaign(1);
    plan.schedule.send_at = world.now().wall - hours(2);
    plan.schedule.max_lateness = hours(1);
    world.add_lane(1, "a.test", 10);
    world.begin();
    world.run_for(hours(1));
    EXPECT_EQ(world.attempts("a.test"), 0u);
    const CampaignRecord& record = world.scheduler().campaign(1)->plan.record;
    EXPECT_EQ(record.state, CampaignState::kPaused);
    EXPECT_EQ(record.pause_reason, kLatePauseReason);
    ASSERT_TRUE(world.scheduler().resume(1, world.now()));
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 10u);
}

TEST(SchedulerSchedule, ABeginningThatWaitsForAWindowIsNotLate) {
    SchedulerWorld world({}, 5);
    const Duration now = time_of_day(world);
    CampaignPlan& plan = world.add_campaign(1);
    plan.schedule.send_at = world.now().wall - hours(6);
    plan.schedule.max_lateness = hours(1);
    plan.schedule.hours = daily(now + minutes(30), now + minutes(90));
    world.add_lane(1, "a.test", 10);
    world.begin();
    world.run_for(minutes(29));
    EXPECT_EQ(world.attempts("a.test"), 0u);
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 10u);
}

// Once begun, no lateness counts any more.
TEST(SchedulerSchedule, ARestartInsideAndOutsideItsWindowLosesAndDoublesNobody) {
    SchedulerWorld world({}, 6);
    const Duration now = time_of_day(world);
    CampaignPlan& plan = world.add_campaign(1);
    plan.throttle.all.rate = Rate{1, seconds(1)};
    plan.schedule.send_at = world.now().wall;
    plan.schedule.max_lateness = minutes(1);
    plan.schedule.hours = daily(now - minutes(1), now + minutes(10));
    world.add_lane(1, "a.test", 900);
    world.begin();
    world.run_for(minutes(5));
    world.scheduler().stop(world.now());
    world.run_until_stopped(minutes(1));
    world.begin();
    world.run_for(hours(3));
    const std::uint64_t before = world.attempts("a.test");
    world.scheduler().stop(world.now());
    world.run_until_stopped(minutes(1));
    world.begin();
    world.run_for(hours(3));
    EXPECT_EQ(world.attempts("a.test"), before);
    world.run_until_finished(hours(100));
    EXPECT_EQ(world.deliveries(1), 900u);
    EXPECT_EQ(world.extra_deliveries(1), 0u);
}

TEST(SchedulerSchedule, ANewScheduleHoldsAtOnce) {
    SchedulerWorld world({}, 7);
    CampaignPlan& plan = world.add_campaign(1);
    plan.schedule.send_at = world.now().wall + hours(5);
    world.add_lane(1, "a.test", 100);
    world.begin();
    world.run_for(minutes(1));
    ASSERT_TRUE(world.scheduler().set_schedule(1, {}, world.now()));
    world.run_until_finished(minutes(10));
    EXPECT_EQ(world.deliveries(1), 100u);
}

TEST(SchedulerSchedule, ACancelledCampaignNeedsNoWindow) {
    SchedulerWorld world({}, 8);
    world.add_campaign(1).schedule.send_at = world.now().wall + hours(100);
    world.add_lane(1, "a.test", 50);
    world.begin();
    world.run_for(minutes(1));
    ASSERT_TRUE(world.scheduler().cancel(1));
    world.run_until_finished(minutes(10));
    EXPECT_EQ(world.count(1, OutcomeState::kCancelled), 50u);
    EXPECT_EQ(world.attempts("a.test"), 0u);
}

}  // namespace
}  // namespace posthorn
