#include "engine/delivery/provider_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart(hours(1000));
constexpr WallTime kNoon = wall_from_micros(1'775'120'400'000'000);

ProviderRule big() {
    ProviderRule rule;
    rule.name = "big";
    rule.mx = {"*.big.test", "mx.other.test"};
    rule.domains = {"bigmail.test"};
    rule.connections_max = 2;
    rule.message_rates = {{5, seconds(1)}, {12, hours(1)}};
    rule.connection_rates = {{3, minutes(1)}};
    return rule;
}

class ProviderLimitsTest : public testing::Test {
  protected:
    static std::shared_ptr<const Shaping> shaping(ProviderRule rule = big()) {
        return std::make_shared<const Shaping>(Shaping{{std::move(rule)}});
    }
    std::uint64_t allowed(Instant at, const std::string& source = "a") {
        return limits_.messages_allowed(share_, source, at);
    }
    void take(std::uint64_t count, Instant at) { limits_.take_messages(share_, "a", count, at); }

    std::shared_ptr<const Shaping> shaping_ = shaping();
    ProviderLimits limits_{shaping_};
    ProviderShare share_ = share_of(shaping_->rules.front(), "mx1.big.test");
};

TEST(Shaping, FindsAProviderByHostSuffixAndDomain) {
    const Shaping shaping{{big()}};
    const struct {
        std::vector<std::string> hosts;
        const char* domain;
        bool found;
    } table[] = {
        {{"mx1.big.test"}, "a.test", true},
        {{"mx.a.test", "deep.mx1.big.test"}, "a.test", true},
        {{"big.test"}, "a.test", true},
        {{"mx.other.test"}, "a.test", true},
        {{"x.mx.other.test"}, "a.test", false},
        {{"notbig.test"}, "a.test", false},
        {{"big.test.evil.test"}, "a.test", false},
        {{"mx.a.test"}, "bigmail.test", true},
        {{"mx.a.test"}, "x.bigmail.test", false},
        {{}, "a.test", false},
    };
    for (const auto& [hosts, domain, found] : table)
        EXPECT_EQ(shaping.find(hosts, domain) != nullptr, found)
            << domain << " " << testing::PrintToString(hosts);
}

TEST_F(ProviderLimitsTest, EveryWindowHolds) {
    EXPECT_EQ(allowed(kStart), 5u);
    take(5, kStart);
    EXPECT_EQ(allowed(kStart), 0u);
    EXPECT_GT(limits_.next_message(share_, "a", kStart), kStart);
    EXPECT_EQ(allowed(kStart + seconds(2)), 5u);
    take(5, kStart + seconds(2));
    EXPECT_EQ(allowed(kStart + seconds(4)), 2u);  // twelve an hour
    take(2, kStart + seconds(4));
    EXPECT_EQ(allowed(kStart + minutes(59)), 0u);
    EXPECT_GE(limits_.next_message(share_, "a", kStart + minutes(59)), kStart + hours(1));
    EXPECT_EQ(allowed(kStart + minutes(62)), 5u);
}

TEST_F(ProviderLimitsTest, EachSourceHasItsOwn) {
    take(5, kStart);
    EXPECT_EQ(allowed(kStart, "b"), 5u);
}

TEST_F(ProviderLimitsTest, SitesShareThemUnlessTheyAreSystemsOfTheirOwn) {
    ProviderRule rule = big();
    EXPECT_EQ(share_of(rule, "mx1.big.test").group, share_of(rule, "mx2.big.test").group);
    rule.per_site = true;
    EXPECT_NE(share_of(rule, "mx1.big.test").group, share_of(rule, "mx2.big.test").group);
}

TEST_F(ProviderLimitsTest, WhatWasNotSentIsGivenBack) {
    take(5, kStart);
    limits_.give_back_message(share_, "a", kStart, kStart + milliseconds(10));
    EXPECT_EQ(allowed(kStart + milliseconds(20)), 1u);
}

TEST_F(ProviderLimitsTest, ConnectionsAreCountedAndTheirRateHolds) {
    limits_.connection_opened(share_, "a", kStart);
    EXPECT_TRUE(limits_.has_room(share_, "a"));
    limits_.connection_opened(share_, "a", kStart);
    EXPECT_FALSE(limits_.has_room(share_, "a"));
    EXPECT_TRUE(limits_.has_room(share_, "b"));
    limits_.connection_closed(share_, "a");
    EXPECT_TRUE(limits_.has_room(share_, "a"));
    EXPECT_EQ(limits_.next_connection(share_, "a", kStart + seconds(1)), kStart + seconds(1));
    limits_.connection_opened(share_, "a", kStart + seconds(1));
    limits_.connection_closed(share_, "a");
    EXPECT_GE(limits_.next_connection(share_, "a", kStart + seconds(1)), kStart + minutes(1));
}

TEST_F(ProviderLimitsTest, ARestartForgetsNothingOfTheRunningHour) {
    take(5, kStart);
    take(5, kStart + seconds(2));
    const auto changes = limits_.take_changes({kStart + seconds(2), kNoon});
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_TRUE(limits_.take_changes({kStart + seconds(2), kNoon}).empty());

    // Another process, whose steady clock is another one, ten minutes later.
    constexpr Instant kLater(seconds(77));
    ProviderLimits next(shaping_);
    int kept = 0;
    for (const PutState& put : changes) {
        EXPECT_EQ(put.kind, kShapingKind);
        kept += next.restore(put.key, *put.value, {kLater, kNoon + minutes(10)}) ? 1 : 0;
    }
    EXPECT_EQ(kept, 3);
    EXPECT_EQ(next.messages_allowed(share_, "a", kLater), 2u);
    EXPECT_EQ(next.messages_allowed(share_, "a", kLater + minutes(49)), 2u);
    EXPECT_EQ(next.messages_allowed(share_, "a", kLater + minutes(52)), 5u);
}

TEST_F(ProviderLimitsTest, WhatNoRuleKnowsAnyMoreIsNotKept) {
    take(1, kStart);
    const auto changes = limits_.take_changes({kStart, kNoon});
    ProviderRule rule = big();
    rule.message_rates = {{5, minutes(5)}};
    rule.connection_rates.clear();
    ProviderLimits other(shaping(rule));
    for (const PutState& put : changes)
        EXPECT_FALSE(other.restore(put.key, *put.value, {kStart, kNoon})) << put.key;
    rule.name = "else";
    ProviderLimits renamed(shaping(rule));
    for (const PutState& put : changes)
        EXPECT_FALSE(renamed.restore(put.key, *put.value, {kStart, kNoon}));
}

TEST_F(ProviderLimitsTest, MalformedRecordsRestoreNothing) {
    take(5, kStart);
    const auto changes = limits_.take_changes({kStart, kNoon});
    ProviderLimits next(shaping_);
    for (const PutState& put : changes) {
        for (std::size_t cut = 0; cut < put.key.size(); ++cut)
            EXPECT_FALSE(next.restore(put.key.substr(0, cut), *put.value, {kStart, kNoon}));
        EXPECT_FALSE(next.restore(put.key, "", {kStart, kNoon}));
        EXPECT_FALSE(next.restore(put.key, "\x02", {kStart, kNoon}));
    }
    EXPECT_EQ(next.messages_allowed(share_, "a", kStart), 5u);
}

}  // namespace
}  // namespace posthorn
