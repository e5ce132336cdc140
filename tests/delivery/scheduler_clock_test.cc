// A wall clock that jumps: what waits for it is neither lost nor left for as long as the clock was
// wrong.
#include <gtest/gtest.h>

#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class SchedulerClockTest : public testing::Test {
  protected:
    SchedulerClockTest() : world_({}, 77) {
        world_.add_campaign(1).retry.schedule = {minutes(5)};
        world_.add_lane(1, "a.test", 300);
        world_.add_lane(1, "b.test", 3);
        defer_all(1);
    }
    void defer_all(double share) {
        world_.mood("a.test").defer = world_.mood("b.test").defer = share;
    }
    std::uint64_t deferred() { return world_.count(1, OutcomeState::kDeferred); }

    SchedulerWorld world_;
};

TEST_F(SchedulerClockTest, WhatWasDeferredIsTriedInTimeAfterTheClockWasSetBackADay) {
    world_.begin();
    world_.run_for(minutes(3));
    ASSERT_EQ(deferred(), 303u);
    world_.set_clock(-hours(24));
    defer_all(0);
    world_.run_until_finished(minutes(20));
    EXPECT_EQ(world_.deliveries(1), 303u);
}

TEST_F(SchedulerClockTest, SoItIsWhenTheClockIsSetBackBetweenTwoProcesses) {
    world_.set_clock(hours(24));
    world_.begin();
    world_.run_for(minutes(3));
    ASSERT_EQ(deferred(), 303u);
    world_.crash();
    world_.set_clock(-hours(24));
    defer_all(0);
    world_.begin();
    world_.run_until_finished(minutes(20));
    EXPECT_EQ(world_.deliveries(1), 303u);
}

TEST_F(SchedulerClockTest, AClockSetForwardADayMakesRetriesDueAndExpiresNobodyYoung) {
    world_.begin();
    world_.run_for(minutes(3));
    world_.set_clock(hours(24));
    defer_all(0);
    world_.run_until_finished(minutes(20));
    EXPECT_EQ(world_.deliveries(1), 303u);
}

TEST_F(SchedulerClockTest, AStepOfASecondChangesNothing) {
    world_.begin();
    world_.run_for(minutes(3));
    world_.set_clock(-std::chrono::seconds(1));
    defer_all(0);
    world_.run_for(std::chrono::seconds(30));
    EXPECT_EQ(deferred(), 303u) << "not due for another minute";
    world_.run_until_finished(minutes(20));
}

}  // namespace
}  // namespace posthorn
