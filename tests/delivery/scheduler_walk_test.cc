// The walk over a campaign's lanes, and the cursor from which the next process goes on: nobody is
// passed over, whatever parks, wakes or restarts meanwhile. The world checks every cursor as it is
// recorded, and that no walk had to be made again.
#include <gtest/gtest.h>

#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Few lanes at a time, many that have to wait with some of their rows unsent, and a cursor that is
// recorded whenever a lane is left.
DeliveryLimits narrow_walk() {
    DeliveryLimits limits;
    limits.lanes_open_max = 2;
    limits.lanes_per_read = 2;
    limits.rows_per_sweep = 4;
    limits.rows_per_small_lane = 2;
    limits.rows_per_read = 3;
    limits.cursor_every = 1;
    return limits;
}

TEST(SchedulerWalk, WhoWaitsWhenAProcessEndsIsFoundByTheNext) {
    for (std::uint64_t seed = 43; seed <= 48; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        DeliveryLimits limits = narrow_walk();
        limits.lanes_open_max = static_cast<std::uint32_t>(1 + seed % 6);
        limits.stragglers_max = seed % 3 == 0 ? 2 : 100;
        SchedulerWorld world(limits, seed);
        CampaignPlan& plan = world.add_campaign(1);
        plan.retry.age_max = hours(24);
        plan.retry.schedule = {seconds(10), minutes(1)};
        std::uint64_t total = 0;
        Random random(seed);
        for (int d = 0; d < 40; ++d) {
            const std::string domain = "d" + std::to_string(d) + ".test";
            const auto size = static_cast<std::uint32_t>(random.between(1, 30));
            world.add_lane(1, domain, size);
            total += size;
            world.mood(domain).defer = 0.3;
            world.mood(domain).connect_fails = random.chance(0.5) ? 0.6 : 0;
        }
        for (int process = 0; process < 4 && !world.finished(); ++process) {
            world.begin();
            world.run_for(seconds(random.between(5, 120)));
            if (!world.finished()) world.run_until_stopped(hours(1));
            world.crash();
        }
        if (!world.finished()) {
            world.begin();
            world.run_until_finished(hours(100));
        }
        EXPECT_EQ(world.deliveries(1), total);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace posthorn
