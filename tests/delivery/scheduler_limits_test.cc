// The limits of mailbox providers, as the scheduler keeps them.
#include <gtest/gtest.h>

#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kFirst = "a.big.test";  // receivers: hosts without their "mx."
constexpr const char* kSecond = "b.big.test";

ProviderRule big() {
    ProviderRule rule;
    rule.name = "big";
    rule.mx = {"*.big.test"};
    return rule;
}

class ProviderWorld : public testing::Test {
  protected:
    // Two sites of the provider, and a domain elsewhere.
    void begin(ProviderRule rule, std::uint32_t recipients) {
        world_.shape(std::move(rule));
        world_.add_campaign(1);
        for (const char* domain : {"one.test", "two.test", "elsewhere.test"}) {
            world_.add_lane(1, domain, recipients);
            world_.mood(domain).latency_max = milliseconds(20);
        }
        world_.mood("one.test").host = "mx.a.big.test";
        world_.mood("two.test").host = "mx.b.big.test";
        world_.begin();
    }
    std::vector<Instant> attempts() const {
        std::vector<Instant> times = world_.attempt_times(kFirst);
        const std::vector<Instant>& more = world_.attempt_times(kSecond);
        times.insert(times.end(), more.begin(), more.end());
        return times;
    }

    SchedulerWorld world_{{}, 31};
};

TEST_F(ProviderWorld, ItsRatesHoldOverAllOfItsSitesTogether) {
    ProviderRule rule = big();
    rule.message_rates = {{50, seconds(1)}, {1500, minutes(1)}};
    begin(rule, 2000);
    const Instant start = world_.now().instant;
    world_.run_until_finished(minutes(10));
    EXPECT_EQ(world_.deliveries(1), 6000u);
    EXPECT_LE(most_in_window(attempts(), milliseconds(950)), 50u);
    EXPECT_LE(most_in_window(attempts(), minutes(1) - milliseconds(50)), 1500u);
    EXPECT_LT(world_.now().instant - start, seconds(170)) << "and nearly all of it is used";
}

TEST_F(ProviderWorld, NobodyElseIsHeldBack) {
    ProviderRule rule = big();
    rule.message_rates = {{1, seconds(1)}};
    begin(rule, 500);
    world_.run_for(seconds(30));
    EXPECT_EQ(world_.attempts("elsewhere.test"), 500u);
    EXPECT_LE(attempts().size(), 31u);
}

TEST_F(ProviderWorld, ItsConnectionsAreCountedTogetherAndHandedOn) {
    ProviderRule rule = big();
    rule.connections_max = 1;
    begin(rule, 300);
    world_.run_until_finished(hours(1));
    EXPECT_EQ(world_.deliveries(1), 900u);
    EXPECT_EQ(world_.most_sessions(kFirst), 1u);
    EXPECT_EQ(world_.most_sessions(kSecond), 1u);
}

TEST_F(ProviderWorld, SitesThatAreSystemsOfTheirOwnCountForThemselves) {
    ProviderRule rule = big();
    rule.per_site = true;
    rule.message_rates = {{10, seconds(1)}};
    begin(rule, 200);
    const Instant start = world_.now().instant;
    world_.run_until_finished(minutes(5));
    EXPECT_LT(world_.now().instant - start, seconds(30)) << "both at once";
    EXPECT_LE(most_in_window(world_.attempt_times(kFirst), milliseconds(950)), 10u);
    EXPECT_LE(most_in_window(world_.attempt_times(kSecond), milliseconds(950)), 10u);
}

TEST_F(ProviderWorld, ASessionTakesNoMoreMessagesThanTheRuleSays) {
    ProviderRule rule = big();
    rule.messages_per_session = 5;
    begin(rule, 200);
    world_.run_until_finished(hours(1));
    EXPECT_GE(world_.sessions_opened(kFirst), 40u);
}

TEST_F(ProviderWorld, NewConnectionsKeepTheirRate) {
    ProviderRule rule = big();
    rule.messages_per_session = 1;
    rule.connection_rates = {{2, seconds(1)}};
    begin(rule, 20);
    const Instant start = world_.now().instant;
    world_.run_until_finished(minutes(5));
    EXPECT_EQ(world_.deliveries(1), 60u);
    EXPECT_GE(world_.now().instant - start, seconds(19)) << "40 sessions, two a second";
}

TEST_F(ProviderWorld, TheRunningHourHoldsAcrossCrashes) {
    ProviderRule rule = big();
    rule.message_rates = {{300, hours(1)}};
    begin(rule, 600);
    for (const Duration& span : {Duration(milliseconds(300)), Duration(seconds(3)),
                                 Duration(minutes(10)), Duration(minutes(70))}) {
        world_.run_for(span);
        world_.crash();
        world_.begin();
    }
    world_.run_until_finished(hours(6));
    EXPECT_LE(most_in_window(attempts(), hours(1) - milliseconds(50)), 300u);
    EXPECT_GE(world_.deliveries(1), 1800u);
}

TEST_F(ProviderWorld, ExplainNamesTheRuleAndItsLimits) {
    ProviderRule rule = big();
    rule.connections_max = 4;
    rule.message_rates = {{10, minutes(1)}};
    begin(rule, 100);
    world_.run_for(seconds(2));
    const auto view = world_.scheduler().explain("one.test", world_.now());
    ASSERT_TRUE(view);
    EXPECT_EQ(view->site.provider, "big: 4 connections, 10/m");
    EXPECT_EQ(view->site.waits_for, "its rate limit");
}

}  // namespace
}  // namespace posthorn
