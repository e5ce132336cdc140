// The rules by which replies are understood, as the rule file (deploy/reply-rules.json, compiled
// in) gives them. A file is read whole: every fault is reported at once, and a file with a fault
// gives no rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/reply.h"

namespace posthorn {

inline constexpr std::size_t kMaxRuleFileBytes = 1u << 20;
inline constexpr std::size_t kMaxRules = 1000;
inline constexpr std::size_t kMaxPatternBytes = 8192;  // terms expanded

// Both ends included.
struct NumberRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0;

    bool contains(std::uint16_t number) const { return number >= low && number <= high; }
};

// "5.1.x", "5.7.50x": x alone is any number, trailing x's any digits.
struct EnhancedPattern {
    NumberRange klass;
    NumberRange subject;
    NumberRange detail;

    bool matches(EnhancedCode code) const {
        return klass.contains(code.klass) && subject.contains(code.subject) &&
               detail.contains(code.detail);
    }
};

// Matches when everything it names matches. Empty lists and patterns name nothing.
struct ReplyRule {
    std::string name;
    Category category = Category::kUnknown;
    std::vector<NumberRange> codes;
    std::vector<EnhancedPattern> enhanced;
    std::vector<Stage> stages;
    std::string text;    // RE2, terms expanded, against FoldedReply::text
    std::string unless;  // likewise; must not match
    std::string link;    // RE2, against FoldedReply::links
    std::string example;
};

struct RuleFault {
    std::string pointer;  // JSON pointer, e.g. /rules/3/text; empty for the file itself
    std::string message;
    std::string hint;  // what to do
};

struct RuleFile {
    std::vector<ReplyRule> rules;   // empty when there are faults
    std::vector<RuleFault> faults;  // in the order of the file
};

RuleFile parse_rule_file(std::string_view json);

// "pointer: message (hint)", one per line.
std::string to_string(const std::vector<RuleFault>& faults);

// deploy/reply-rules.json as it was when this program was built.
std::string_view default_rule_file();

}  // namespace posthorn
