#include "engine/mail/classifier.h"

#include <re2/set.h>

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/mail/reply_fallback.h"
#include "engine/mail/reply_line.h"
#include "engine/mail/reply_text.h"
#include "engine/mail/rule_patterns.h"

namespace posthorn {

namespace {

// What the expressions of the engine itself say about a text, beside those of the rules.
constexpr std::string_view kLater =
    "temporar|try(?:ing)? (?:again|later)|again later|later\\b|\\bdefer|\\bdelay|retry|will "
    "continue|"
    "not yet|still (?:being|trying)";
constexpr std::string_view kForEver =
    "permanent|failed|rejected|refused|denied|will not|giving up|not going to try|"
    "could not be delivered|cannot be delivered|not delivered|blocked|exceeded|too (?:large|many)";

bool states_address_fact(Category category) {
    return category == Category::kInvalidMailbox || category == Category::kInactiveMailbox ||
           category == Category::kInvalidDomain || category == Category::kMoved;
}

// Greeting, EHLO, AUTH and MAIL replies are a session's, never a recipient's.
Category at_stage(Stage stage, Category category) {
    if (!states_address_fact(category)) return category;
    switch (stage) {
        case Stage::kMail:
            return Category::kAuthentication;
        case Stage::kConnect:
        case Stage::kEhlo:
        case Stage::kStartTls:
        case Stage::kAuth:
        case Stage::kQuit:
            return Category::kPolicy;
        default:
            return category;
    }
}

template <class Pattern, class Value>
bool any_matches(const std::vector<Pattern>& patterns, Value matches) {
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), matches);
}

}  // namespace

// The compiled expressions. Every rule's text and unless are in one set, its link in another;
// Needs says which members of the sets a rule asks for.
class Classifier::Patterns {
  public:
    static constexpr int kNoPattern = -1;
    static constexpr std::size_t kMaxPatterns = 2 * kMaxRules + 2;
    using Found = std::bitset<kMaxPatterns>;

    explicit Patterns(const std::vector<ReplyRule>& rules)
        : text_(rule_pattern_options(), re2::RE2::UNANCHORED),
          link_(rule_pattern_options(), re2::RE2::UNANCHORED) {
        for (const ReplyRule& rule : rules)
            needs_.push_back(
                {add(text_, rule.text), add(text_, rule.unless), add(link_, rule.link)});
        later_ = add(text_, kLater);
        for_ever_ = add(text_, kForEver);
        has_links_ = std::any_of(needs_.begin(), needs_.end(),
                                 [](const Needs& needs) { return needs.link != kNoPattern; });
        CHECK(text_.Compile());
        if (has_links_) CHECK(link_.Compile());
    }

    struct Matches {
        Found text;
        Found link;
    };

    Matches match(const FoldedReply& folded) const {
        Matches matches;
        std::vector<int> members;
        if (text_.Match(folded.text, &members))
            for (const int member : members) matches.text.set(static_cast<std::size_t>(member));
        if (has_links_ && !folded.links.empty() && link_.Match(folded.links, &members))
            for (const int member : members) matches.link.set(static_cast<std::size_t>(member));
        return matches;
    }

    bool satisfied(std::size_t rule, const Matches& matches) const {
        const Needs& needs = needs_[rule];
        return has(matches.text, needs.text, true) && has(matches.link, needs.link, true) &&
               !has(matches.text, needs.unless, false);
    }

    bool later(const Matches& matches) const { return has(matches.text, later_, false); }
    bool for_ever(const Matches& matches) const { return has(matches.text, for_ever_, false); }

  private:
    struct Needs {
        int text;
        int unless;
        int link;
    };

    static int add(re2::RE2::Set& set, std::string_view pattern) {
        if (pattern.empty()) return kNoPattern;
        const int member = set.Add(re2::StringPiece(pattern.data(), pattern.size()), nullptr);
        CHECK(member >= 0);  // the file's reader has tried every expression
        return member;
    }

    static bool has(const Found& found, int member, bool if_none) {
        return member == kNoPattern ? if_none : found.test(static_cast<std::size_t>(member));
    }

    re2::RE2::Set text_;
    re2::RE2::Set link_;
    std::vector<Needs> needs_;
    int later_ = kNoPattern;
    int for_ever_ = kNoPattern;
    bool has_links_ = false;
};

Classifier::Classifier(std::vector<ReplyRule> rules)
    : rules_(std::move(rules)), patterns_(std::make_unique<const Patterns>(rules_)) {}

Classifier::~Classifier() = default;

Result<std::unique_ptr<const Classifier>> Classifier::from_file(std::string_view json) {
    RuleFile file = parse_rule_file(json);
    if (!file.faults.empty()) return Error{ErrorKind::kInvalid, to_string(file.faults)};
    return std::unique_ptr<const Classifier>(new Classifier(std::move(file.rules)));
}

std::unique_ptr<const Classifier> Classifier::with_default_rules() {
    auto classifier = from_file(default_rule_file());
    CHECK(classifier.has_value());
    return std::move(*classifier);
}

namespace {

bool codes_match(const ReplyRule& rule, Stage stage, std::uint16_t code,
                 std::optional<EnhancedCode> enhanced) {
    return any_matches(rule.codes,
                       [&](const NumberRange& range) { return range.contains(code); }) &&
           any_matches(rule.enhanced,
                       [&](const EnhancedPattern& pattern) {
                           return enhanced && pattern.matches(*enhanced);
                       }) &&
           any_matches(rule.stages, [&](Stage named) { return named == stage; });
}

}  // namespace

Verdict Classifier::classify(Stage stage, const Reply& reply) const {
    if (reply.positive() || reply.intermediate())
        return {Category::kNone, Action::kNone, "accepted", true};
    FoldedReply folded;
    fold_reply(reply.text, folded);
    const Patterns::Matches matches = patterns_->match(folded);

    const auto enhanced = reply.enhanced ? reply.enhanced : enhanced_code_in(reply.text);
    Verdict verdict;
    for (std::size_t i = 0; i < rules_.size() && !verdict.by_rule; ++i)
        if (patterns_->satisfied(i, matches) && codes_match(rules_[i], stage, reply.code, enhanced))
            verdict = {rules_[i].category, Action::kNone, rules_[i].name, true};
    if (!verdict.by_rule) {
        const FallbackMeaning meaning = meaning_of_codes(stage, reply, enhanced);
        verdict = {meaning.category, Action::kNone, meaning.name, false};
    }
    verdict.category = at_stage(stage, verdict.category);

    bool permanent = reply.permanent();
    if (reply.code == 0 && enhanced) {
        permanent = enhanced->klass == 5;
    } else if (reply.code == 0) {
        permanent = !patterns_->later(matches) &&
                    (states_address_fact(verdict.category) || patterns_->for_ever(matches));
    }
    verdict.action = action_for(verdict.category, permanent);
    return verdict;
}

Verdict Classifier::classify_line(std::string_view line, Stage stage) const {
    return classify(stage == Stage::kNone ? stage_of_line(line) : stage, parse_reply_line(line));
}

}  // namespace posthorn
