#include "engine/base/rate_window.h"

#include <gtest/gtest.h>

#include <deque>

#include "engine/base/random.h"

namespace posthorn {
namespace {

constexpr Instant at(std::int64_t millis) { return Instant(std::chrono::milliseconds(millis)); }

TEST(RateWindow, NoWindowWhereverPlacedSeesMoreThanTheLimit) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        const Rate rate{1 + random.below(50), std::chrono::milliseconds(200 + random.below(5000))};
        RateWindow window(rate);
        std::deque<Instant> taken;
        Instant now = at(1'000'000);
        for (int step = 0; step < 3000; ++step) {
            now += Duration(static_cast<std::int64_t>(random.below(60'000)));
            const std::uint64_t count =
                std::min<std::uint64_t>(window.available(now), random.below(4));
            window.take(count, now);
            for (std::uint64_t i = 0; i < count; ++i) taken.push_back(now);
            while (!taken.empty() && taken.front() <= now - rate.window) taken.pop_front();
            ASSERT_LE(taken.size(), rate.count) << "seed " << seed << " step " << step;
        }
    }
}

TEST(RateWindow, AGreedyTakerGetsNearlyTheWholeRate) {
    RateWindow window(Rate{100, std::chrono::seconds(1)});
    std::uint64_t total = 0;
    Instant now = at(5000);
    const Instant end = now + std::chrono::seconds(100);
    while (now < end) {
        const std::uint64_t count = window.available(now);
        window.take(count, now);
        total += count;
        now = std::max(now + Duration(1), window.next_available(now));
    }
    EXPECT_GE(total, 9600u);
    EXPECT_LE(total, 10100u);
}

TEST(RateWindow, WhatIsGivenBackMayBeTakenAgain) {
    RateWindow window(Rate{10, std::chrono::hours(1)});
    window.take(10, at(100));
    EXPECT_EQ(window.available(at(200)), 0u);
    window.give_back(4, at(100), at(300));
    EXPECT_EQ(window.available(at(300)), 4u);
}

TEST(RateWindow, WhatIsGivenBackIsTakenFromTheTimeItWasCountedAt) {
    RateWindow window(Rate{10, std::chrono::seconds(32)});
    window.take(5, at(500));
    window.take(5, at(20'500));
    window.give_back(5, at(500), at(21'000));
    window.take(5, at(21'500));
    EXPECT_EQ(window.available(at(34'000)), 0u);  // ten since 20.5 s
    window.give_back(5, at(500), at(34'000));     // left the window long ago
    EXPECT_EQ(window.available(at(34'000)), 0u);
}

TEST(RateWindow, ALowerLimitCountsWhatWasUsed) {
    RateWindow window(Rate{10, std::chrono::seconds(1)});
    window.take(8, at(100));
    window.set_rate(Rate{5, std::chrono::seconds(1)});
    EXPECT_EQ(window.available(at(200)), 0u);
    EXPECT_GT(window.next_available(at(200)), at(1000));
    EXPECT_EQ(window.available(at(1200)), 5u);
}

TEST(RateWindow, RestoredItLetsNoWindowSeeMoreThanTheLimit) {
    const WallTime noon = wall_from_micros(1'775'120'400'000'000);
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Random random(seed);
        const Rate rate{1 + random.below(50), std::chrono::seconds(64)};
        RateWindow window(rate);
        std::deque<Duration> taken;  // since the start, by the wall clock
        Instant base = at(1'000'000);
        Duration since{0}, base_since{0};
        for (int step = 0; step < 500; ++step) {
            since += std::chrono::milliseconds(random.below(2'000));
            if (random.below(20) == 0) {  // another process: its steady clock is another one
                const std::string stored =
                    window.stored({base + (since - base_since), noon + since});
                since += std::chrono::milliseconds(random.below(5'000));
                base = at(500'000 + static_cast<std::int64_t>(random.below(9'000'000)));
                base_since = since;
                window = RateWindow(rate);
                ASSERT_TRUE(window.restore(stored, {base, noon + since}));
            }
            const Instant now = base + (since - base_since);
            const std::uint64_t count = std::min<std::uint64_t>(window.available(now), 3);
            window.take(count, now);
            for (std::uint64_t i = 0; i < count; ++i) taken.push_back(since);
            while (!taken.empty() && taken.front() <= since - rate.window) taken.pop_front();
            ASSERT_LE(taken.size(), rate.count) << "seed " << seed << " step " << step;
        }
    }
}

TEST(RateWindow, RestoresNothingOfAnotherWindowOrOfGarbage) {
    const Now now{at(5000), wall_from_micros(1'775'120'400'000'000)};
    RateWindow window(Rate{10, std::chrono::seconds(1)});
    window.take(10, now.instant);
    const std::string stored = window.stored(now);
    RateWindow longer(Rate{10, std::chrono::hours(1)});
    EXPECT_FALSE(longer.restore(stored, now));
    EXPECT_EQ(longer.available(now.instant), 10u);
    RateWindow same(Rate{10, std::chrono::seconds(1)});
    EXPECT_FALSE(same.restore("", now));
    EXPECT_FALSE(same.restore(stored.substr(0, stored.size() - 1), now));
}

}  // namespace
}  // namespace posthorn
