#include "engine/delivery/conduct.h"

#include <gtest/gtest.h>

#include <deque>

#include "engine/base/random.h"

namespace posthorn {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Instant at(Duration since) { return Instant(std::chrono::hours(9)) + since; }

TEST(Conduct, OneOrTwoAnswersAreAboutTheirRecipients) {
    Conduct conduct;
    EXPECT_FALSE(conduct.note(Sign::kStop, at(seconds(0))));
    EXPECT_FALSE(conduct.note(Sign::kStop, at(seconds(1))));
    EXPECT_TRUE(conduct.note(Sign::kStop, at(seconds(2))));
}

TEST(Conduct, ThreeAmongManyAreNotEnough) {
    Conduct conduct;
    for (int i = 0; i < 100; ++i) conduct.note(Sign::kNone, at(seconds(i)));
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(conduct.note(Sign::kStop, at(seconds(101 + i))));
    EXPECT_TRUE(conduct.note(Sign::kStop, at(seconds(107)))) << "6 of 106";
}

TEST(Conduct, SlowAndStopAreCountedApart) {
    Conduct conduct;
    conduct.note(Sign::kSlow, at(seconds(0)));
    conduct.note(Sign::kSlow, at(seconds(0)));
    EXPECT_FALSE(conduct.note(Sign::kStop, at(seconds(0))));
    EXPECT_TRUE(conduct.note(Sign::kSlow, at(seconds(0))));
}

TEST(Conduct, WhatIsTenMinutesOldCountsNoMore) {
    Conduct conduct;
    conduct.note(Sign::kStop, at(minutes(0)));
    conduct.note(Sign::kStop, at(minutes(9)));
    EXPECT_FALSE(conduct.note(Sign::kStop, at(minutes(11))));
    EXPECT_TRUE(conduct.note(Sign::kStop, at(minutes(12))));
}

TEST(Conduct, WhatWasActedUponCountsNoMore) {
    Conduct conduct;
    for (int i = 0; i < 3; ++i) conduct.note(Sign::kStop, at(seconds(i)));
    conduct.forget(Sign::kStop);
    EXPECT_FALSE(conduct.worked(at(seconds(4)))) << "it was no sign of health either";
    EXPECT_FALSE(conduct.note(Sign::kStop, at(seconds(4))));
}

TEST(Conduct, IsWhatCountingAllAnswersWouldSay) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        Conduct conduct;
        std::deque<std::pair<Instant, Sign>> all;
        Instant now = at(seconds(0));
        for (int i = 0; i < 2000; ++i) {
            now += Duration(
                static_cast<std::int64_t>(random.below(seed % 2 ? 2'000'000 : 20'000'000)));
            const Sign sign = random.chance(0.07)   ? Sign::kStop
                              : random.chance(0.05) ? Sign::kSlow
                                                    : Sign::kNone;
            all.emplace_back(now, sign);
            while (all.size() > 200 || all.front().first < now - minutes(10)) all.pop_front();
            std::size_t same = 0;
            for (const auto& [when, what] : all) same += what == sign;
            const bool enough = sign != Sign::kNone && same >= 3 && same * 20 >= all.size();
            ASSERT_EQ(conduct.note(sign, now), enough) << seed << ", answer " << i;
        }
    }
}

}  // namespace
}  // namespace posthorn
