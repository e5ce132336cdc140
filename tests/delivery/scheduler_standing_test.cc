// Holds of sources at sites by the sites' own replies, and the brake on suppressions.
#include <gtest/gtest.h>

#include "engine/queue/suppressions.h"
#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Standing : public testing::Test {
  protected:
    void begin(std::uint32_t recipients) {
        world_.add_campaign(1).retry.attempts_max = 50;
        for (const char* domain : {"strict.test", "kind.test"}) {
            world_.add_lane(1, domain, recipients);
            world_.mood(domain).latency_max = milliseconds(20);
        }
        world_.begin();
    }
    Mood& strict() { return world_.mood("strict.test"); }
    std::vector<SiteHoldView> holds() {
        const auto view = world_.scheduler().explain("strict.test", world_.now());
        return view ? view->site.holds : std::vector<SiteHoldView>();
    }
    bool was_told(const std::string& words) {
        for (const std::string& notice : world_.notices())
            if (notice.find(words) != std::string::npos) return true;
        return false;
    }
    std::uint64_t suppressed(bool in_force) {
        std::uint64_t count = 0;
        EXPECT_TRUE(Suppressions(world_.store()).for_each([&](const SuppressionRecord& record) {
            count += record.quarantined != in_force;
            return true;
        }));
        return count;
    }

    SchedulerWorld world_{{}, 77};
};

TEST_F(Standing, AFewStopsAmongManyHoldNobody) {
    strict().stop = 0.01;
    begin(2000);
    world_.run_for(minutes(20));
    EXPECT_TRUE(holds().empty());
    EXPECT_GT(world_.attempts("strict.test"), 1990u);
}

TEST_F(Standing, ASourceThatIsListedIsHeldAndTheOperatorTold) {
    strict().stop = 1;
    begin(2000);
    world_.run_for(minutes(5));
    EXPECT_LT(world_.attempts("strict.test"), 100u) << "what was on its way, no more";
    EXPECT_EQ(world_.deliveries(1), 2000u) << "the other site goes on";
    ASSERT_EQ(holds().size(), 1u);
    EXPECT_EQ(holds()[0].source, "default");
    EXPECT_TRUE(was_told("strict.test: source default is held there for 10m"));
    EXPECT_EQ(world_.count(1, OutcomeState::kBounced), 0u) << "and nobody is given up for it";
}

TEST_F(Standing, AHoldIsTriedByOneRecipientAndLastsLongerEachTime) {
    strict().stop = 1;
    begin(2000);
    world_.run_for(minutes(5));
    const std::uint64_t before = world_.attempts("strict.test");
    world_.run_for(hours(2));  // ends after 10, 20, 40, 80 minutes
    EXPECT_GE(world_.attempts("strict.test"), before + 3);
    EXPECT_LE(world_.attempts("strict.test"), before + 4);
    strict().stop = 0;
    world_.run_until_finished(hours(10));
    EXPECT_TRUE(holds().empty());
    EXPECT_EQ(world_.deliveries(1), 4000u);
}

TEST_F(Standing, OtherSourcesGoOn) {
    world_.add_source("second");
    strict().stop = 1;
    strict().only_source = "default";
    begin(3000);
    world_.run_until_finished(hours(10));
    EXPECT_EQ(world_.deliveries(1), 6000u);
    EXPECT_LT(world_.attempts_from("strict.test", "default"), 100u);
}

TEST_F(Standing, SpamRefusalsCountTowardsAStop) {
    strict().spam = 0.5;
    begin(2000);
    world_.run_for(minutes(5));
    EXPECT_EQ(holds().size(), 1u);
    EXPECT_LT(world_.attempts("strict.test"), 300u);
}

TEST_F(Standing, ARefusedGreetingHoldsTheSourceAtOnce) {
    strict().refuses_greeting = true;
    begin(200);
    world_.run_for(minutes(1));
    ASSERT_EQ(holds().size(), 1u);
    EXPECT_EQ(holds()[0].reason, "connect: 554 you are listed");
    strict().refuses_greeting = false;
    world_.run_until_finished(hours(1));
    EXPECT_EQ(world_.deliveries(1), 400u);
}

TEST_F(Standing, AHoldSurvivesARestart) {
    strict().stop = 1;
    begin(2000);
    world_.run_for(minutes(5));
    const std::uint64_t before = world_.attempts("strict.test");
    strict().stop = 0;
    world_.crash();
    world_.begin();
    world_.run_for(minutes(4));
    EXPECT_EQ(holds().size(), 1u);
    EXPECT_EQ(world_.attempts("strict.test"), before);
    world_.run_until_finished(hours(3));
    EXPECT_EQ(world_.deliveries(1), 4000u);
}

TEST_F(Standing, ReleaseEndsAHold) {
    strict().stop = 1;
    begin(2000);
    world_.run_for(minutes(5));
    strict().stop = 0;
    world_.scheduler().release_domain("strict.test", world_.now());
    world_.run_for(minutes(2));
    EXPECT_TRUE(holds().empty());
    EXPECT_GT(world_.deliveries(1), 3800u);
}

TEST_F(Standing, WhoWaitsBehindAHoldExpiresInTime) {
    strict().stop = 1;
    begin(300);
    world_.run_until_finished(hours(24 * 5));
    EXPECT_EQ(world_.count(1, OutcomeState::kExpired), 300u);
}

TEST_F(Standing, ASiteThatRefusesEverybodyIsBraked) {
    begin(3000);
    world_.run_for(milliseconds(400));
    strict().bounce = 1;
    world_.run_for(minutes(5));
    ASSERT_EQ(holds().size(), 1u);
    EXPECT_FALSE(holds()[0].until);
    EXPECT_TRUE(was_told("posthorn release strict.test"));
    EXPECT_EQ(suppressed(true), 0u);
    const std::uint64_t doubted = suppressed(false);
    EXPECT_GE(doubted, 15u);
    EXPECT_EQ(doubted, world_.count(1, OutcomeState::kBounced));
    world_.run_for(hours(10));
    EXPECT_EQ(suppressed(false), doubted) << "nothing is sent meanwhile";

    strict().bounce = 0;
    world_.crash();
    world_.begin();
    world_.run_for(minutes(1));
    EXPECT_EQ(holds().size(), 1u) << "and a restart does not end it";
    world_.scheduler().release_domain("strict.test", world_.now());
    world_.run_until_finished(hours(10));
    EXPECT_EQ(world_.deliveries(1) + doubted, 6000u);
    EXPECT_EQ(*Suppressions(world_.store()).remove({"brake:strict.test", std::nullopt}), doubted);
}

TEST_F(Standing, AnOrdinaryShareOfUnknownAddressesStaysSuppressed) {
    strict().bounce = 0.1;
    begin(1000);
    world_.run_until_finished(hours(10));
    EXPECT_TRUE(holds().empty());
    EXPECT_EQ(suppressed(true), world_.count(1, OutcomeState::kBounced));
    EXPECT_EQ(suppressed(false), 0u);
}

}  // namespace
}  // namespace posthorn
