#include "engine/mail/rule_patterns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace posthorn {
namespace {

using Branches = std::vector<std::string>;

TEST(RulePatterns, ExpressionsAreCutAtTheirOutermostAlternations) {
    EXPECT_EQ(outermost_branches("a|b(c|d)|e"), (Branches{"a", "b(c|d)", "e"}));
    EXPECT_EQ(outermost_branches("[a|b]|\\|x"), (Branches{"[a|b]", "\\|x"}));
    EXPECT_EQ(outermost_branches("[]|]|[^]|]|[[:alpha:]|]"),
              (Branches{"[]|]", "[^]|]", "[[:alpha:]|]"}));
    EXPECT_EQ(outermost_branches("abc"), (Branches{"abc"}));
}

TEST(RulePatterns, ExpressionsThatAreNotSafeToCutStayWhole) {
    for (const std::string whole : {"(?i)a|b", "\\Qa|b\\E|c", "a|", "|a", "(?P<n>a)|b"})
        EXPECT_EQ(outermost_branches(whole), Branches{whole});
}

TEST(RulePatterns, EveryExpressionIsAnsweredForItself) {
    RulePatterns patterns;
    std::vector<RulePatterns::Id> ids;
    for (int i = 0; i < 40; ++i)
        ids.push_back(
            patterns.add("x" + std::to_string(i) + " (?:[^.])*end|y" + std::to_string(i) + "\\b"));
    ASSERT_TRUE(patterns.compile());
    RulePatterns::Matches matches(patterns, "x7 to the END. Y23, x11 .end");
    for (std::size_t i = 0; i < ids.size(); ++i)
        EXPECT_EQ(matches.has(ids[i]), i == 7 || i == 23) << i;
}

TEST(RulePatterns, ExpressionsThatNeedTooMuchMemoryAreRefused) {
    RulePatterns patterns;
    for (int i = 0; i < 60; ++i) patterns.add("(?:abcdefghijklmnopqrstuvwxyz){1000}");
    EXPECT_FALSE(patterns.compile());
}

}  // namespace
}  // namespace posthorn
