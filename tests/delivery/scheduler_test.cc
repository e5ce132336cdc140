// Long because each verb of the scheduler is tried in a world of its own, and those read best
// together.
#include "engine/delivery/scheduler.h"

#include <gtest/gtest.h>

#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kDelivered = OutcomeState::kDelivered;
constexpr auto kBounced = OutcomeState::kBounced;

TEST(Scheduler, EverybodyIsDeliveredOnce) {
    SchedulerWorld world({}, 1);
    world.add_campaign(1);
    for (int d = 0; d < 20; ++d) world.add_lane(1, "d" + std::to_string(d) + ".test", 50);
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.count(1, kDelivered), 1000u);
    EXPECT_EQ(world.deliveries(1), 1000u);
}

TEST(Scheduler, ALaneLargerThanOnePageIsReadPageByPage) {
    SchedulerWorld world({}, 2);
    world.add_campaign(1);
    world.add_lane(1, "big.test", 5000);
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 5000u);
}

TEST(Scheduler, TheDeferredAreTriedAgainByTheScheduleUntilAccepted) {
    SchedulerWorld world({}, 3);
    world.add_campaign(1);
    world.add_lane(1, "slow.test", 300);
    world.mood("slow.test").defer = 0.6;
    world.begin();
    world.run_until_finished(hours(60));
    EXPECT_EQ(world.count(1, kDelivered) + world.count(1, OutcomeState::kExpired), 300u);
    EXPECT_GT(world.count(1, kDelivered), 280u);
    EXPECT_GT(world.attempts("slow.test"), 600u);
}

TEST(Scheduler, ARefusedRecipientIsNotTriedAgain) {
    SchedulerWorld world({}, 4);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 400);
    world.mood("a.test").bounce = 0.2;
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.attempts("a.test"), 400u);
    EXPECT_GT(world.count(1, kBounced), 50u);
    EXPECT_EQ(world.count(1, kBounced) + world.count(1, kDelivered), 400u);
}

TEST(Scheduler, ADomainThatDoesNotExistBouncesOnceTheAnswerIsConfirmed) {
    SchedulerWorld world({}, 5);
    world.add_campaign(1);
    world.add_lane(1, "no.test", 2000);
    world.add_lane(1, "yes.test", 10);
    world.mood("no.test").verdict = DnsVerdict::kNoDomain;
    world.begin();
    world.run_for(minutes(59));
    EXPECT_EQ(world.count(1, kBounced), 0u);
    EXPECT_EQ(world.count(1, kDelivered), 10u);
    world.run_until_finished(minutes(10));
    EXPECT_EQ(world.count(1, kBounced), 2000u);
}

TEST(Scheduler, AServerFailureOfDnsIsNeverABounceButExpires) {
    SchedulerWorld world({}, 6);
    world.add_campaign(1).retry.age_max = hours(2);
    world.add_lane(1, "broken.test", 30);
    world.mood("broken.test").verdict = DnsVerdict::kTemporary;
    world.begin();
    world.run_until_finished(hours(3));
    EXPECT_EQ(world.count(1, OutcomeState::kExpired), 30u);
}

TEST(Scheduler, ADeadSiteChargesNoAttemptAndItsRecipientsExpire) {
    SchedulerWorld world({}, 7);
    world.add_campaign(1).retry.age_max = hours(6);
    world.add_lane(1, "dead.test", 3000);
    world.add_lane(1, "live.test", 100);
    world.mood("dead.test").connect_fails = 1;
    world.begin();
    world.run_for(minutes(1));
    EXPECT_EQ(world.count(1, kDelivered), 100u) << "a dead domain slows nobody";
    world.run_until_finished(hours(7));
    EXPECT_EQ(world.count(1, OutcomeState::kExpired), 3000u);
    EXPECT_EQ(world.attempts("dead.test"), 0u);
}

TEST(Scheduler, ASiteThatComesBackIsServed) {
    SchedulerWorld world({}, 8);
    world.add_campaign(1);
    world.add_lane(1, "away.test", 500);
    world.mood("away.test").connect_fails = 1;
    world.begin();
    world.run_for(hours(1));
    world.mood("away.test").connect_fails = 0;
    world.run_until_finished(minutes(30));
    EXPECT_EQ(world.deliveries(1), 500u);
}

TEST(Scheduler, ASiteSeesNoMoreSessionsThanTheLimit) {
    SchedulerWorld world({}, 9);
    world.add_campaign(1);
    world.add_lane(1, "busy.test", 6000);
    world.begin();
    world.run_until_finished(hours(2));
    EXPECT_EQ(world.most_sessions("busy.test"), 20u) << "it earns the most allowed, and not more";
    EXPECT_GE(world.sessions_opened("busy.test"), 60u) << "100 messages to a session";
}

TEST(Scheduler, ASiteThatTakesFewerSessionsIsGivenFewer) {
    SchedulerWorld world({}, 10);
    world.add_campaign(1);
    world.add_lane(1, "shy.test", 400);
    world.mood("shy.test").sessions_max = 2;
    world.begin();
    world.run_until_finished(hours(2));
    EXPECT_EQ(world.deliveries(1), 400u);
    EXPECT_LE(world.most_sessions("shy.test"), 2u);
}

TEST(Scheduler, DomainsOfOneHostShareItsSessions) {
    SchedulerWorld world({}, 11);
    world.add_campaign(1);
    for (int d = 0; d < 30; ++d) {
        const std::string domain = "d" + std::to_string(d) + ".test";
        world.add_lane(1, domain, 40);
        world.mood(domain).host = "mx.shared.test";
    }
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.attempts("shared.test"), 1200u);
    EXPECT_LE(world.most_sessions("shared.test"), 20u);
}

TEST(Scheduler, ASessionIsGivenNoMoreDomainsThanItsPeerTakes) {
    SchedulerWorld world({}, 8);
    world.add_campaign(1);
    for (int d = 0; d < 40; ++d) {
        const std::string domain = "d" + std::to_string(d) + ".test";
        world.add_lane(1, domain, 5);
        world.mood(domain).host = "mx.shared.test";
    }
    world.mood("shared.test").domains_told = 3;
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 200u);
    EXPECT_EQ(world.most_domains("shared.test"), 3u);
}

TEST(Scheduler, ARateOfTheCampaignHoldsInAnyWindow) {
    SchedulerWorld world({}, 12);
    world.add_campaign(1).throttle.all.rate = Rate{100, seconds(1)};
    world.add_lane(1, "a.test", 3000);
    world.mood("a.test").latency_max = milliseconds(1);
    world.begin();
    const Instant start = world.now().instant;
    world.run_until_finished(minutes(5));
    EXPECT_EQ(world.deliveries(1), 3000u);
    // Starts are exact to the lease's validity: 50 ms.
    EXPECT_LE(most_in_window(world.attempt_times("a.test"), milliseconds(950)), 100u);
    EXPECT_LT(world.now().instant - start, seconds(40)) << "and nearly all of it is used";
}

TEST(Scheduler, ADomainsRateDoesNotHoldBackOthers) {
    SchedulerWorld world({}, 13);
    world.add_campaign(1).throttle.per_domain["slow.test"] = {Rate{1, seconds(1)}, 1u};
    world.add_lane(1, "slow.test", 60);
    world.add_lane(1, "fast.test", 1000);
    world.begin();
    world.run_for(seconds(30));
    EXPECT_EQ(world.attempts("fast.test"), 1000u);
    EXPECT_LE(world.attempts("slow.test"), 31u);
    EXPECT_EQ(world.most_sessions("slow.test"), 1u);
    world.run_until_finished(minutes(5));
}

TEST(Scheduler, AnUncertainRecipientIsAttemptedAgainAndNamed) {
    SchedulerWorld world({}, 14);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 1000);
    world.mood("a.test").uncertain = 0.05;
    world.begin();
    world.run_until_finished(hours(60));
    EXPECT_EQ(world.count(1, kDelivered), 1000u);
    EXPECT_GT(world.extra_deliveries(1), 0u);
    EXPECT_LE(world.extra_deliveries(1), world.possible_duplicates(1));
}

TEST(Scheduler, UnderHoldAnUncertainRecipientIsFinal) {
    SchedulerWorld world({}, 15);
    world.add_campaign(1).retry.hold_uncertain = true;
    world.add_lane(1, "a.test", 1000);
    world.mood("a.test").uncertain = 0.05;
    world.begin();
    world.run_until_finished(hours(60));
    EXPECT_GT(world.count(1, OutcomeState::kUncertain), 10u);
    EXPECT_EQ(world.extra_deliveries(1), 0u);
    EXPECT_EQ(world.count(1, OutcomeState::kUncertain) + world.count(1, kDelivered), 1000u);
}

TEST(Scheduler, ARecipientThatBreaksEveryConnectionDoesNotLoopForEver) {
    SchedulerWorld world({}, 16);
    world.add_campaign(1).retry.age_max = hours(4);
    world.add_lane(1, "cut.test", 5);
    world.mood("cut.test").cut_off = 1;
    world.begin();
    world.run_until_finished(hours(6));
    EXPECT_EQ(world.count(1, OutcomeState::kExpired), 5u);
    EXPECT_LT(world.sessions_opened("cut.test"), 500u);
}

TEST(Scheduler, ASuppressedRecipientIsNotAttempted) {
    SchedulerWorld world({}, 17);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 10);
    world.suppress_in_store("a.test", 3);
    world.begin();
    world.scheduler().address_suppressed("a.test", "u5");
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.count(1, OutcomeState::kSuppressed), 2u);
    EXPECT_EQ(world.deliveries(1), 8u);
}

TEST(Scheduler, APausedCampaignSendsNothingAndResumesWhereItWas) {
    SchedulerWorld world({}, 18);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 20'000);
    world.begin();
    world.run_for(seconds(5));
    ASSERT_TRUE(world.scheduler().pause(1, "operator", world.now()));
    world.run_for(seconds(5));
    const std::uint64_t then = world.attempts("a.test");
    EXPECT_GT(then, 0u);
    world.run_for(minutes(10));
    EXPECT_EQ(world.attempts("a.test"), then);
    ASSERT_TRUE(world.scheduler().resume(1, world.now()));
    world.run_until_finished(hours(2));
    EXPECT_EQ(world.attempts("a.test"), 20'000u);
}

TEST(Scheduler, ACampaignThatCannotBeSignedIsPausedWithTheReasonUntilItCan) {
    SchedulerWorld world({}, 9);
    CampaignPlan& plan = world.add_campaign(1);
    const auto renderer = std::exchange(plan.renderer, nullptr);
    plan.unready = "a.pem: the key file cannot be read";
    world.add_lane(1, "a.test", 10);
    world.begin();
    world.run_for(minutes(10));
    EXPECT_EQ(world.attempts("a.test"), 0u);
    const CampaignRecord& record = world.scheduler().campaign(1)->plan.record;
    EXPECT_EQ(record.state, CampaignState::kPaused);
    EXPECT_EQ(record.pause_reason, "a.pem: the key file cannot be read");
    EXPECT_FALSE(world.scheduler().resume(1, world.now()));
    world.scheduler().campaign_ready(1, renderer);
    EXPECT_TRUE(world.scheduler().resume(1, world.now()));
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 10u);
}

TEST(Scheduler, ACancelledCampaignGivesEveryRemainingRecipientThatOutcome) {
    SchedulerWorld world({}, 19);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 20'000);
    world.add_lane(1, "b.test", 500);
    world.mood("b.test").defer = 1;
    world.begin();
    world.run_for(seconds(5));
    ASSERT_TRUE(world.scheduler().cancel(1));
    world.run_until_finished(minutes(10));
    EXPECT_EQ(world.count(1, kDelivered), world.attempts("a.test"));
    EXPECT_EQ(world.count(1, kDelivered) + world.count(1, OutcomeState::kCancelled), 20'500u);
}

TEST(Scheduler, AHeldDomainWaitsForItsRelease) {
    SchedulerWorld world({}, 20);
    world.add_campaign(1);
    world.add_lane(1, "held.test", 3000);
    world.add_lane(1, "free.test", 50);
    world.begin();
    world.run_for(seconds(1));
    world.scheduler().hold_domain("held.test", "operator");
    world.run_for(seconds(5));
    const std::uint64_t then = world.attempts("held.test");
    world.run_for(hours(1));
    EXPECT_EQ(world.attempts("held.test"), then);
    EXPECT_EQ(world.attempts("free.test"), 50u);
    world.scheduler().release_domain("held.test", world.now());
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 3050u);
}

TEST(Scheduler, AHoldOutlastsTheAnswerToItsName) {
    SchedulerWorld world({}, 20);
    world.add_campaign(1);
    world.add_lane(1, "held.test", 50);
    world.add_lane(1, "free.test", 50);
    world.mood("held.test").resolves_after = seconds(10);
    world.begin();
    world.run_for(seconds(5));
    world.scheduler().hold_domain("held.test", "operator");
    world.run_for(seconds(10));
    world.flush("held.test");
    world.run_for(minutes(10));
    EXPECT_EQ(world.attempts("held.test"), 0u);
    world.scheduler().release_domain("held.test", world.now());
    world.run_until_finished(hours(1));
}

TEST(Scheduler, FlushTriesTheDeferredAtOnce) {
    SchedulerWorld world({}, 21);
    world.add_campaign(1).retry.schedule = {hours(4)};
    world.add_lane(1, "a.test", 100);
    world.mood("a.test").defer = 1;
    world.begin();
    world.run_for(minutes(1));
    EXPECT_EQ(world.attempts("a.test"), 100u);
    world.mood("a.test").defer = 0;
    world.flush("a.test");
    world.run_until_finished(minutes(1));
    EXPECT_EQ(world.deliveries(1), 100u);
}

TEST(Scheduler, TooManyBouncesPauseTheCampaign) {
    SchedulerWorld world({}, 22);
    auto& throttle = world.add_campaign(1).throttle;
    throttle.stop_bounce_percent = 8;
    throttle.stop_after = 200;
    world.add_lane(1, "a.test", 50'000);
    world.mood("a.test").bounce = 0.2;
    world.begin();
    world.run_for(minutes(10));
    EXPECT_FALSE(world.finished());
    EXPECT_EQ(world.scheduler().campaign(1)->plan.record.state, CampaignState::kPaused);
    EXPECT_LT(world.attempts("a.test"), 2000u);
}

TEST(Scheduler, AfterACleanStopTheNextProcessGoesOnWithoutADuplicate) {
    SchedulerWorld world({}, 23);
    world.add_campaign(1);
    for (int d = 0; d < 30; ++d) world.add_lane(1, "d" + std::to_string(d) + ".test", 300);
    for (int stops = 0; stops < 5; ++stops) {
        world.begin();
        world.run_for(milliseconds(1500));
        world.run_until_stopped(minutes(10));
    }
    world.begin();
    world.run_until_finished(hours(1));
    EXPECT_EQ(world.deliveries(1), 9000u);
    EXPECT_EQ(world.extra_deliveries(1), 0u);
    EXPECT_EQ(world.possible_duplicates(1), 0u);
}

TEST(Scheduler, ASmallCampaignBesideALargeOneStartsAtOnce) {
    SchedulerWorld world({}, 24);
    world.add_campaign(1);
    world.add_campaign(2);
    world.add_lane(1, "a.test", 50'000);
    world.add_lane(2, "a.test", 500);
    world.begin();
    world.run_for(seconds(20));
    EXPECT_EQ(world.count(2, kDelivered), 500u);
    EXPECT_LT(world.count(1, kDelivered), 40'000u);
}

// Everything at once, with absurdly small limits, and crashes: nobody is lost, and what may have
// been delivered twice is counted.
TEST(Scheduler, NobodyIsLostInAnyOfManyWorlds) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        DeliveryLimits limits;
        limits.connections_max = 1 + static_cast<std::uint32_t>(random.below(30));
        limits.in_flight_max = 1 + static_cast<std::uint32_t>(random.below(100));
        limits.rows_ahead_max = 1 + static_cast<std::uint32_t>(random.below(200));
        limits.rows_per_read = 1 + static_cast<std::uint32_t>(random.below(50));
        limits.rows_per_sweep = 1 + static_cast<std::uint32_t>(random.below(50));
        limits.rows_per_small_lane = 1 + static_cast<std::uint32_t>(random.below(20));
        limits.lanes_open_max = 1 + static_cast<std::uint32_t>(random.below(20));
        limits.lanes_per_read = 1 + static_cast<std::uint32_t>(random.below(10));
        limits.sweep_in_flight_max = 1 + static_cast<std::uint32_t>(random.below(20));
        limits.stragglers_max = static_cast<std::uint32_t>(random.below(10));
        limits.cursor_every = 1 + static_cast<std::uint32_t>(random.below(10));
        limits.mark_every = 1 + static_cast<std::uint32_t>(random.below(20));
        limits.lease_recipients_max = 1 + static_cast<std::uint32_t>(random.below(10));
        limits.messages_per_session_max = 1 + static_cast<std::uint32_t>(random.below(20));
        SchedulerWorld world(limits, seed);
        std::uint64_t total[3] = {0, 0, 0};
        for (CampaignNumber c = 1; c <= 2; ++c) {
            CampaignPlan& plan = world.add_campaign(c);
            plan.retry.age_max = hours(12);
            plan.retry.schedule = {minutes(1), minutes(10)};
            const std::uint64_t lanes = 1 + random.below(40);
            for (std::uint64_t d = 0; d < lanes; ++d) {
                const auto size =
                    static_cast<std::uint32_t>(1 + random.below(random.chance(0.1) ? 300 : 12));
                world.add_lane(c, "d" + std::to_string(d) + ".test", size);
                total[c] += size;
            }
        }
        for (int d = 0; d < 40; ++d) {
            Mood& mood = world.mood("d" + std::to_string(d) + ".test");
            if (random.chance(0.3)) mood.defer = random.unit() * 0.5;
            if (random.chance(0.2)) mood.bounce = random.unit() * 0.1;  // more may pull the brake
            if (random.chance(0.2)) mood.uncertain = random.unit() * 0.2;
            if (random.chance(0.1)) mood.cut_off = random.unit() * 0.3;
            if (random.chance(0.1)) mood.connect_fails = random.unit();
            if (random.chance(0.1))
                mood.sessions_max = 1 + static_cast<std::uint32_t>(random.below(3));
            if (random.chance(0.1))
                mood.messages_max = 1 + static_cast<std::uint32_t>(random.below(5));
            if (random.chance(0.05)) mood.verdict = DnsVerdict::kTemporary;
            if (random.chance(0.05)) mood.verdict = DnsVerdict::kNullMx;
            if (random.chance(0.1)) mood.host = "mx.shared.test";
        }
        const std::uint64_t crashes = random.below(4);
        for (std::uint64_t crash = 0; crash < crashes && !world.finished(); ++crash) {
            world.begin();
            world.run_for(Duration(static_cast<std::int64_t>(random.below(20'000'000))));
            if (random.chance(0.3) && !world.finished()) world.run_until_stopped(hours(1));
            world.crash();
        }
        if (!world.finished()) {
            world.begin();
            world.run_until_finished(hours(100));
        }
        for (CampaignNumber c = 1; c <= 2; ++c) {
            std::uint64_t settled = 0;
            for (const OutcomeState state :
                 {kDelivered, kBounced, OutcomeState::kExpired, OutcomeState::kSuppressed})
                settled += world.count(c, state);
            EXPECT_EQ(settled, total[c]);
            EXPECT_LE(world.extra_deliveries(c), world.possible_duplicates(c));
            EXPECT_GE(world.deliveries(c), world.count(c, kDelivered));
        }
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace posthorn
