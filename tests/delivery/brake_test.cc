#include "engine/delivery/brake.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

// One in so many of count answers suppresses. Whether the brake was pulled.
bool answers(Brake& brake, int count, int one_in) {
    bool pulled = false;
    for (int i = 1; i <= count && !pulled; ++i) {
        if (i % one_in == 0)
            pulled = brake.suppressed("a.test", "u" + std::to_string(i));
        else
            brake.other_answer();
    }
    return pulled;
}

TEST(Brake, AnOrdinaryShareIsLeftAlone) {
    Brake brake;
    EXPECT_FALSE(answers(brake, 5000, 5));
}

TEST(Brake, AFewAnswersAreNoShare) {
    Brake brake;
    EXPECT_FALSE(answers(brake, 499, 1));
}

TEST(Brake, ASiteThatRefusesEverybodyIsOutOfProportion) {
    Brake brake;
    EXPECT_TRUE(answers(brake, 500, 1));
    EXPECT_EQ(brake.take_addresses().size(), 500u);
    EXPECT_EQ(brake.words(), "500 of the last 500 recipients");
}

TEST(Brake, FiveTimesTheNormIsOutOfProportion) {
    Brake brake;
    EXPECT_FALSE(answers(brake, 2000, 50));  // 2 %
    EXPECT_TRUE(answers(brake, 500, 7));     // 14 %, and far from 30
}

TEST(Brake, FiveTimesNearlyNothingIsLittle) {
    Brake brake;
    EXPECT_FALSE(answers(brake, 3000, 1000));
    EXPECT_FALSE(answers(brake, 500, 25));  // 20 of 500
}

TEST(Brake, OnlyAddressesOfTheWindowAreRemembered) {
    Brake brake;
    EXPECT_FALSE(answers(brake, 5000, 10));
    EXPECT_EQ(brake.take_addresses().size(), 50u);
}

TEST(Brake, WhatAnOperatorHasSeenDoesNotPullItAgain) {
    Brake brake;
    EXPECT_TRUE(answers(brake, 600, 3));
    brake.released();
    EXPECT_FALSE(answers(brake, 2000, 3));
    EXPECT_TRUE(answers(brake, 500, 1)) << "but a much larger share does";
}

}  // namespace
}  // namespace posthorn
