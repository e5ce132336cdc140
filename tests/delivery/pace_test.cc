#include "engine/delivery/pace.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class PaceTest : public testing::Test {
  protected:
    // So many answers, evenly over the time.
    void answers(int count, Duration over) {
        for (int i = 0; i < count; ++i) {
            now_ += over / count;
            if (pace_.allowed(now_) > 0) pace_.take(1, now_);
            pace_.answered(now_);
        }
    }
    bool cohort() {
        bool cut = false;
        for (int i = 0; i < 3; ++i) cut = pace_.asked_for_less(now_);
        return cut;
    }

    Instant now_{hours(5)};
    Pace pace_;
};

TEST_F(PaceTest, NothingIsHeldBackUntilLessIsAskedFor) {
    EXPECT_EQ(pace_.allowed(now_), UINT64_MAX);
    answers(1000, seconds(10));
    EXPECT_EQ(pace_.allowed(now_), UINT64_MAX);
    EXPECT_EQ(pace_.rate(), 0);
}

TEST_F(PaceTest, OneAnswerChangesNothing) {
    answers(100, seconds(10));
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(pace_.asked_for_less(now_));
        pace_.answered(now_);
    }
    EXPECT_EQ(pace_.allowed(now_), UINT64_MAX);
}

TEST_F(PaceTest, ThreeInARowMakeAPauseThatOneTryEnds) {
    answers(1000, seconds(20));
    EXPECT_TRUE(cohort());
    EXPECT_EQ(pace_.allowed(now_), 0u);
    const Instant end = pace_.next(now_);
    EXPECT_EQ(end - now_, seconds(5));
    now_ = end;
    EXPECT_EQ(pace_.allowed(now_), 1u);
    pace_.take(1, now_);
    EXPECT_EQ(pace_.allowed(now_), 0u) << "until its answer";
    pace_.answered(now_);
    EXPECT_NEAR(pace_.rate(), 46, 1) << "a little less than the 50 that it took";
}

TEST_F(PaceTest, ATryThatFailsMakesThePauseLonger) {
    answers(1000, seconds(20));
    cohort();
    Duration last(0);
    for (int i = 0; i < 20; ++i) {
        const Duration pause = pace_.next(now_) - now_;
        EXPECT_GE(pause, std::min<Duration>(last, seconds(3)));
        last = pause;
        now_ += pause;
        ASSERT_EQ(pace_.allowed(now_), 1u);
        pace_.take(1, now_);
        EXPECT_FALSE(pace_.asked_for_less(now_));
    }
    EXPECT_GE(last, seconds(30));
    EXPECT_LE(last, minutes(5));
}

TEST_F(PaceTest, ATryThatCameBackMayBeMadeAgain) {
    cohort();
    now_ = pace_.next(now_);
    pace_.take(1, now_);
    pace_.give_back();
    EXPECT_EQ(pace_.allowed(now_), 1u);
}

TEST_F(PaceTest, ItsRateHoldsOverAnyTime) {
    answers(1000, seconds(20));
    cohort();
    now_ = pace_.next(now_);
    pace_.take(1, now_);
    pace_.answered(now_);
    std::uint64_t taken = 0;
    for (const Instant end = now_ + seconds(10); now_ < end; now_ += milliseconds(3)) {
        const std::uint64_t allowed = pace_.allowed(now_);
        pace_.take(allowed, now_);
        taken += allowed;
    }
    EXPECT_NEAR(static_cast<double>(taken), 460, 10);
}

TEST_F(PaceTest, WithoutWorkItDoesNotGrow) {
    answers(1000, seconds(20));
    cohort();
    now_ = pace_.next(now_);
    pace_.take(1, now_);
    pace_.answered(now_);
    const double rate = pace_.rate();
    answers(3600, hours(1));  // one a second, of 46
    EXPECT_EQ(pace_.rate(), rate);
}

TEST_F(PaceTest, ClosedDoorsAloneSayNothingOfTheRate) {
    for (int i = 0; i < 3; ++i) pace_.refused_session(now_);
    EXPECT_TRUE(pace_.paused(now_));
    EXPECT_EQ(pace_.rate(), 0);
}

TEST_F(PaceTest, IsTheSameAfterARestartAndForgottenAfterADay) {
    answers(1000, seconds(20));
    cohort();
    const WallTime wall(hours(400'000));
    const std::string stored = pace_.stored({now_, wall});
    Pace other;
    ASSERT_TRUE(other.restore(stored, {Instant(hours(1)), wall + hours(1)}));
    EXPECT_NEAR(other.rate(), pace_.rate(), 0.001);
    EXPECT_FALSE(Pace().restore(stored, {Instant(hours(1)), wall + hours(25)}));
    EXPECT_FALSE(Pace().restore(stored.substr(1), {Instant(hours(1)), wall}));
    EXPECT_FALSE(Pace().restore("", {Instant(hours(1)), wall}));
}

}  // namespace
}  // namespace posthorn
