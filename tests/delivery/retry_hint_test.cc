#include "engine/delivery/retry_hint.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(RetryHint, WaitsAreReadFromReplies) {
    const struct {
        std::string_view text;
        Duration wait;
    } table[] = {
        {"You have been greylisted, try again in 300 seconds", seconds(300)},
        {"Greylisted for (60) seconds", seconds(60)},
        {"4.7.1 Greylisting in action, please come back in 00:04:59", seconds(299)},
        {"try again in 5 minutes", minutes(5)},
        {"please retry after 1 hour.", hours(1)},
        {"10.0.0.1 is greylisted; wait 2 MINUTES", minutes(2)},
        {"too many messages in 0 seconds; wait 90 secs", seconds(90)},
        {"please wait a 15-minute pause", minutes(15)},
    };
    for (const auto& row : table) EXPECT_EQ(wait_named_in(row.text), row.wait) << row.text;
}

TEST(RetryHint, NumbersThatAreNoWaitsAreLeftAlone) {
    for (std::string_view text :
         {"", "4.7.1 try again later", "450 greylisted", "limit of 20 messages",
          "5 secondary hosts", "2001:db8:00:04:59:1 refused",
          "try again in 99999999999999999999 seconds", "wait 5 hours", "0 seconds", "in 3.5 x",
          "7 minutiae", "seconds 5", "v2 seconds"})
        EXPECT_EQ(wait_named_in(text), std::nullopt) << text;
}

AttemptRecord attempt_of(std::uint16_t code, std::string text, Category category) {
    AttemptRecord attempt;
    attempt.reply = {code, std::nullopt, std::move(text)};
    attempt.category = category;
    return attempt;
}

TEST(RetryHint, ARetryNeverComesBeforeTheHintAndSoonAfterIt) {
    const RetryPolicy retry;
    Random random(1);
    const WallTime now{hours(1000)};
    const AttemptRecord attempt =
        attempt_of(451, "greylisted, try again in 100 seconds", Category::kGreylisted);
    for (int i = 0; i < 500; ++i) {
        const Duration wait = due_after_reply(retry, attempt, 1, now, now, random) - now;
        EXPECT_GE(wait, seconds(100));
        EXPECT_LE(wait, seconds(115));
    }
    EXPECT_EQ(due_after_reply(retry, attempt, 1, now - retry.age_max + seconds(1), now, random),
              now + seconds(1));
}

TEST(RetryHint, GreylistedRecipientsAreNotTriedBeforeTheirStep) {
    const RetryPolicy retry;
    Random random(2);
    const WallTime now{hours(1000)};
    for (std::uint32_t attempts : {1u, 2u, 50u}) {
        const Duration step =
            retry.schedule[std::min<std::size_t>(attempts, retry.schedule.size()) - 1];
        for (int i = 0; i < 200; ++i) {
            const Duration wait =
                due_after_reply(retry, attempt_of(451, "later", Category::kGreylisted), attempts,
                                now, now, random) -
                now;
            EXPECT_GE(wait, step);
            EXPECT_LE(wait, step + step * 2 / 5);
        }
    }
}

TEST(RetryHint, WithoutEitherThePolicyDecides) {
    const RetryPolicy retry;
    const WallTime now{hours(1000)};
    Random one(3), other(3);
    EXPECT_EQ(
        due_after_reply(retry, attempt_of(451, "later", Category::kTemporary), 2, now, now, one),
        retry.next_due(2, now, now, other));
}

}  // namespace
}  // namespace posthorn
