#include "engine/net/loop.h"

#include <csignal>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace posthorn {
namespace {

using std::chrono::milliseconds;

TEST(Loop, TimersFireInTheOrderOfTheirInstantsAndNeverEarly) {
    Loop loop;
    const Instant start = loop.now().instant;
    std::vector<std::string> fired;
    Timer late(loop, [&] {
        fired.push_back("late");
        EXPECT_GE(loop.now().instant, start + milliseconds(3));
        loop.stop();
    });
    Timer soon(loop, [&] {
        fired.push_back("soon");
        EXPECT_GE(loop.now().instant, start + milliseconds(1));
    });
    Timer never(loop, [&] { fired.push_back("never"); });
    late.arm(start + milliseconds(3));
    soon.arm(start + milliseconds(2));
    soon.arm(start + milliseconds(1));
    never.arm(start + milliseconds(1));
    never.disarm();
    loop.run();
    EXPECT_EQ(fired, (std::vector<std::string>{"soon", "late"}));
}

TEST(Loop, ATimerThatArmsItselfForThePastDoesNotStarveTheLoop) {
    Loop loop;
    int fired = 0;
    bool posted = false;
    Timer timer(loop, [&] {
        if (++fired == 1) loop.post([&] { posted = true; });
        if (posted)
            loop.stop();
        else
            timer.arm(Instant());
    });
    timer.arm(Instant());
    loop.run();
    EXPECT_TRUE(posted);
    EXPECT_GE(fired, 2);
}

TEST(Loop, ATurnEndsWithTheTimersThatWereDueBeforeItWaits) {
    Loop loop;
    bool fired = false;
    Timer timer(loop, [&] { fired = true; });
    timer.arm(Instant());
    loop.turn();  // would wait for ever: there is nothing else to come
    EXPECT_TRUE(fired);
}

TEST(Loop, ATimerMayBeDestroyedByItsOwnCallback) {
    Loop loop;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(loop, [&] {
        timer.reset();
        loop.stop();
    });
    timer->arm(Instant());
    loop.run();
    EXPECT_EQ(timer, nullptr);
}

TEST(Loop, TheClocksAreReadOncePerTurn) {
    Loop loop;
    const Now first = loop.now();
    EXPECT_EQ(loop.now().instant, first.instant);
    EXPECT_GT(to_micros(first.wall), 1'700'000'000'000'000);
    Now inside{};
    loop.post([&] {
        inside = loop.now();
        while (std::chrono::steady_clock::now().time_since_epoch() <=
               std::chrono::nanoseconds(inside.instant.time_since_epoch()) + milliseconds(1)) {
        }
        EXPECT_EQ(loop.now().instant, inside.instant);
        loop.stop();
    });
    loop.run();
    EXPECT_GE(inside.instant, first.instant);
    Timer timer(loop, [] {});
    timer.arm(Instant());
    loop.turn();
    EXPECT_GT(loop.now().instant, inside.instant);
}

TEST(Loop, ATimerNeverSeesATimeBeforeItsOwn) {
    Loop loop;
    Instant armed;
    Instant seen;
    Timer timer(loop, [&] {
        seen = loop.now().instant;
        loop.stop();
    });
    loop.post([&] {
        armed = loop.now().instant + milliseconds(2);
        timer.arm(armed);
        while (std::chrono::steady_clock::now().time_since_epoch() <=
               std::chrono::nanoseconds(armed.time_since_epoch()) + milliseconds(2)) {
        }  // a slow callback: the timer is due before the loop waits again
    });
    loop.run();
    EXPECT_GE(seen, armed);
}

TEST(Loop, TheTurnEndComesAfterTheCallbacksOfTheTurn) {
    Loop loop;
    std::vector<std::string> order;
    TurnEnd end(loop, [&] { order.push_back("end"); });
    loop.post([&] { order.push_back("first"); });
    loop.post([&] {
        order.push_back("second");
        loop.stop();
    });
    order.clear();
    loop.run();
    ASSERT_FALSE(order.empty());
    EXPECT_EQ(order.back(), "end");
    const auto first = std::ranges::find(order, "first");
    ASSERT_GE(order.end() - first, 3);
    EXPECT_EQ(first[1], "second");
    EXPECT_EQ(first[2], "end");
}

TEST(Loop, TheTurnEndSeesWhatATimerDidBeforeTheLoopWaitsAgain) {
    Loop loop;
    bool corked = false;
    TurnEnd end(loop, [&] {
        if (corked) loop.stop();
    });
    Timer timer(loop, [&] { corked = true; });
    timer.arm(Instant());
    loop.run();  // would wait for ever if the hook ran only after input
    EXPECT_TRUE(corked);
}

TEST(Loop, OtherThreadsPostTasksThatRunInOrder) {
    Loop loop;
    constexpr int kTasks = 1000;
    int expected = 0;
    std::thread poster([&] {
        for (int i = 0; i < kTasks; ++i) {
            loop.post([&, i] {
                EXPECT_EQ(i, expected);
                if (++expected == kTasks) loop.stop();
            });
        }
    });
    loop.run();
    poster.join();
    EXPECT_EQ(expected, kTasks);
}

TEST(Loop, AStopBeforeTheRunIsNotLost) {
    Loop loop;
    loop.stop();
    loop.run();
    bool ran = false;
    loop.post([&] {
        ran = true;
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(ran);
}

TEST(Loop, ASignalCallsBackInsteadOfEndingTheProcess) {
    Loop loop;
    int received = 0;
    SignalWatch watch(loop, SIGTERM, [&](int signal) {
        received = signal;
        loop.stop();
    });
    ASSERT_EQ(raise(SIGTERM), 0);
    loop.run();
    EXPECT_EQ(received, SIGTERM);
}

}  // namespace
}  // namespace posthorn
