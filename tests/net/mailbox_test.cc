#include "engine/net/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/net/loop.h"

namespace posthorn {
namespace {

struct CountingBell : Bell {
    int rings = 0;
    void ring() override { ++rings; }
};

TEST(Mailbox, GivesAllThatWasPushedInOrderAndRingsOncePerBatch) {
    CountingBell bell;
    Mailbox<int> mailbox(10, &bell);
    std::vector<int> more{2, 3};
    EXPECT_TRUE(mailbox.try_push(1));
    EXPECT_TRUE(mailbox.try_push_all(more));
    EXPECT_EQ(bell.rings, 1);
    std::vector<int> taken{99};
    EXPECT_TRUE(mailbox.take(taken));
    EXPECT_EQ(taken, (std::vector<int>{1, 2, 3}));
    EXPECT_FALSE(mailbox.take(taken));
    EXPECT_TRUE(mailbox.try_push(4));
    EXPECT_EQ(bell.rings, 2);
}

TEST(Mailbox, LeavesWithTheSenderWhatDoesNotFit) {
    Mailbox<std::unique_ptr<int>> mailbox(3);
    std::vector<std::unique_ptr<int>> items;
    for (int i = 0; i < 5; ++i) items.push_back(std::make_unique<int>(i));
    EXPECT_FALSE(mailbox.try_push_all(items));
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(*items[0], 3);
    EXPECT_FALSE(mailbox.try_push_all(items));
    EXPECT_EQ(items.size(), 2U);
    EXPECT_FALSE(mailbox.try_push(std::move(items[0])));
    ASSERT_NE(items[0], nullptr);
    std::vector<std::unique_ptr<int>> taken;
    EXPECT_TRUE(mailbox.take(taken));
    EXPECT_EQ(taken.size(), 3U);
    EXPECT_TRUE(mailbox.try_push_all(items));
}

TEST(Mailbox, TakesNothingMoreOnceClosedButGivesWhatItHas) {
    CountingBell bell;
    Mailbox<int> mailbox(10, &bell);
    EXPECT_TRUE(mailbox.try_push(1));
    mailbox.close();
    EXPECT_EQ(bell.rings, 2);
    EXPECT_FALSE(mailbox.try_push(2));
    std::vector<int> items{2};
    EXPECT_FALSE(mailbox.try_push_all(items));
    std::vector<int> taken;
    EXPECT_TRUE(mailbox.wait(taken));
    EXPECT_EQ(taken, std::vector<int>{1});
    EXPECT_FALSE(mailbox.wait(taken));
}

TEST(Mailbox, KeepsTheOrderOfEachOfManyThreadsToAWaitingOne) {
    constexpr int kThreads = 4;
    constexpr int kEach = 5000;
    Mailbox<std::pair<int, int>> mailbox(64);
    std::vector<std::thread> producers;
    for (int t = 0; t < kThreads; ++t) {
        producers.emplace_back([&mailbox, t] {
            for (int i = 0; i < kEach; ++i)
                while (!mailbox.try_push({t, i})) std::this_thread::yield();
        });
    }
    std::vector<int> next(kThreads, 0);
    std::vector<std::pair<int, int>> items;
    while (std::accumulate(next.begin(), next.end(), 0) < kThreads * kEach) {
        ASSERT_TRUE(mailbox.wait(items));
        for (const auto& [thread, number] : items)
            EXPECT_EQ(number, next[static_cast<std::size_t>(thread)]++);
    }
    for (std::thread& producer : producers) producer.join();
}

TEST(Mailbox, LingersUntilEnoughItemsAreThere) {
    Mailbox<int> mailbox(100);
    std::thread producer([&] {
        for (int i = 0; i < 10; ++i) EXPECT_TRUE(mailbox.try_push(int{i}));
    });
    std::vector<int> items;
    EXPECT_TRUE(mailbox.wait(items, std::chrono::hours(1), 10));
    EXPECT_EQ(items.size(), 10U);
    producer.join();
}

TEST(Mailbox, ClosingEndsALinger) {
    Mailbox<int> mailbox(100);
    EXPECT_TRUE(mailbox.try_push(1));
    std::thread closer([&] { mailbox.close(); });
    std::vector<int> items;
    EXPECT_TRUE(mailbox.wait(items, std::chrono::hours(1), 10));
    EXPECT_EQ(items.size(), 1U);
    closer.join();
}

TEST(Mailbox, WakesALoop) {
    Loop loop;
    constexpr int kItems = 20'000;
    int sum = 0;
    std::vector<int> items;
    std::unique_ptr<Mailbox<int>> mailbox;
    Wake wake(loop, [&] {
        mailbox->take(items);
        sum += static_cast<int>(items.size());
        if (sum == kItems) loop.stop();
    });
    mailbox = std::make_unique<Mailbox<int>>(128, &wake);
    std::thread producer([&] {
        for (int i = 0; i < kItems; ++i)
            while (!mailbox->try_push(int{i})) std::this_thread::yield();
    });
    loop.run();
    producer.join();
    EXPECT_EQ(sum, kItems);
}

}  // namespace
}  // namespace posthorn
