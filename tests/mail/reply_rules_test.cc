#include "engine/mail/reply_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/mail/classifier.h"

namespace posthorn {
namespace {

std::string file_of(const std::string& rules) {
    return R"({"version": 1, "terms": {"who": "user|box"}, "rules": [)" + rules + "]}";
}

bool has_fault(const RuleFile& file, std::string_view pointer, std::string_view words) {
    return std::any_of(file.faults.begin(), file.faults.end(), [&](const RuleFault& fault) {
        return fault.pointer == pointer && fault.message.find(words) != std::string::npos &&
               !fault.hint.empty();
    });
}

TEST(ReplyRules, TheShippedFileHasNoFaults) {
    const RuleFile file = parse_rule_file(default_rule_file());
    EXPECT_TRUE(file.faults.empty()) << to_string(file.faults);
    for (const ReplyRule& rule : file.rules) EXPECT_FALSE(rule.example.empty()) << rule.name;
}

TEST(ReplyRules, AllFaultsAreReportedAtOnceWithTheirPlaces) {
    const RuleFile file = parse_rule_file(R"({"version": 2, "colour": 1, "rules": [
        {"name": "A b", "category": "nonsense", "text": "("},
        {"name": "x", "category": "policy"},
        {"name": "x", "category": "policy", "code": "9xx", "enhanced": ["5.1", "5.x1.1"],
         "stage": "lunch", "text": "{{who}}", "txt": 1, "link": 7},
        7 ]})");
    EXPECT_TRUE(file.rules.empty());
    EXPECT_TRUE(has_fault(file, "/version", "not 1"));
    EXPECT_TRUE(has_fault(file, "/colour", "unknown field"));
    EXPECT_TRUE(has_fault(file, "/rules/0/name", "not a name"));
    EXPECT_TRUE(has_fault(file, "/rules/0/category", "nonsense"));
    EXPECT_TRUE(has_fault(file, "/rules/0/text", "RE2"));
    EXPECT_TRUE(has_fault(file, "/rules/1", "matches everything"));
    EXPECT_TRUE(has_fault(file, "/rules/2/name", "second rule"));
    EXPECT_TRUE(has_fault(file, "/rules/2/code", "9xx"));
    EXPECT_TRUE(has_fault(file, "/rules/2/enhanced/0", "5.1"));
    EXPECT_TRUE(has_fault(file, "/rules/2/enhanced/1", "5.x1.1"));
    EXPECT_TRUE(has_fault(file, "/rules/2/stage", "lunch"));
    EXPECT_TRUE(has_fault(file, "/rules/2/text", "no such term"));
    EXPECT_TRUE(has_fault(file, "/rules/2/txt", "unknown field"));
    EXPECT_TRUE(has_fault(file, "/rules/2/link", "not a string"));
    EXPECT_TRUE(has_fault(file, "/rules/3", "not an object"));
}

TEST(ReplyRules, BrokenJsonIsToldWithItsLine) {
    const RuleFile file = parse_rule_file("{\n \"version\": 1,\n oops }");
    ASSERT_EQ(file.faults.size(), 1u);
    EXPECT_NE(file.faults[0].message.find("line 3"), std::string::npos);
    EXPECT_FALSE(parse_rule_file("").faults.empty());
    EXPECT_FALSE(parse_rule_file("[]").faults.empty());
    EXPECT_FALSE(parse_rule_file(std::string(kMaxRuleFileBytes + 1, ' ')).faults.empty());
    EXPECT_FALSE(parse_rule_file(std::string(100000, '[')).faults.empty());
}

TEST(ReplyRules, AFileReplacesTheRulesAndTheFirstMatchWins) {
    const auto classifier = Classifier::from_file(file_of(
        R"({"name": "one", "category": "virus", "text": "{{who}} b", "code": "55x",
            "unless": "not"},
           {"name": "two", "category": "challenge", "enhanced": ["5.7.50x"], "stage": ["dot"]},
           {"name": "three", "category": "greylisted", "link": "b\\.test/GREY"})"));
    ASSERT_TRUE(classifier.has_value()) << classifier.error().message;
    const auto rule_of = [&](std::string_view line, Stage stage) {
        return std::string((*classifier)->classify_line(line, stage).rule);
    };
    EXPECT_EQ(rule_of("550 BOX B", Stage::kRcpt), "one");
    EXPECT_EQ(rule_of("540 box b", Stage::kRcpt), "reply-code");
    EXPECT_EQ(rule_of("550 not box b", Stage::kRcpt), "reply-code");
    EXPECT_EQ(rule_of("550 5.7.509 box b", Stage::kDot), "one");
    EXPECT_EQ(rule_of("550 5.7.509 x", Stage::kDot), "two");
    EXPECT_EQ(rule_of("550 5.7.519 x", Stage::kDot), "enhanced-code");
    EXPECT_EQ(rule_of("550 5.7.509 x", Stage::kRcpt), "enhanced-code");
    EXPECT_EQ(rule_of("550 see http://b.test/grey", Stage::kRcpt), "three");
    EXPECT_EQ(rule_of("550 b.test/grey", Stage::kRcpt), "reply-code");
}

TEST(ReplyRules, AFaultyFileGivesAnErrorInsteadOfAClassifier) {
    const auto classifier =
        Classifier::from_file(file_of(R"({"name": "one", "category": "virus", "text": "a)b"})"));
    ASSERT_FALSE(classifier.has_value());
    EXPECT_NE(classifier.error().message.find("/rules/0/text"), std::string::npos);
}

}  // namespace
}  // namespace posthorn
