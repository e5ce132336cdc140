#include "engine/mail/classifier.h"

#include <algorithm>
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
    "permanent|will not|giving up|not going to try|could not be delivered|cannot be delivered|"
    "not delivered";
constexpr std::string_view kRefused =
    "reject|refused|denied|blocked|exceeded|too (?:large|many)|failed";

bool states_address_fact(Category category) {
    return category == Category::kInvalidMailbox || category == Category::kInactiveMailbox ||
           category == Category::kInvalidDomain || category == Category::kMoved;
}

bool is_trouble(Category category) {
    return category == Category::kNetwork || category == Category::kTemporary ||
           category == Category::kUnknown;
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

// The expressions of the rules, compiled: text and unless ask the reply's text, link its URLs.
class Classifier::Patterns {
  public:
    explicit Patterns(const std::vector<ReplyRule>& rules) {
        for (const ReplyRule& rule : rules)
            needs_.push_back(
                {add(text_, rule.text), add(text_, rule.unless), add(link_, rule.link)});
        later_ = text_.add(kLater);
        for_ever_ = text_.add(kForEver);
        refused_ = text_.add(kRefused);
        compiled_ = text_.compile() && link_.compile();
    }

    bool compiled() const { return compiled_; }

    struct Matches {
        Matches(const Patterns& patterns, const FoldedReply& folded)
            : text(patterns.text_, folded.text), link(patterns.link_, folded.links) {}

        RulePatterns::Matches text;
        RulePatterns::Matches link;
    };

    bool satisfied(std::size_t rule, Matches& matches) const {
        const Needs& needs = needs_[rule];
        return (!needs.link || matches.link.has(*needs.link)) &&
               (!needs.text || matches.text.has(*needs.text)) &&
               (!needs.unless || !matches.text.has(*needs.unless));
    }

    // Whether words without a code speak of an end: never while they speak of a later time; a fact
    // about the address does; trouble on the way does only when it says so; else a refusal does.
    bool final_words(Category category, Matches& matches) const {
        if (matches.text.has(later_)) return false;
        return states_address_fact(category) || matches.text.has(for_ever_) ||
               (!is_trouble(category) && matches.text.has(refused_));
    }

  private:
    using MaybeId = std::optional<RulePatterns::Id>;

    struct Needs {
        MaybeId text;
        MaybeId unless;
        MaybeId link;
    };

    static MaybeId add(RulePatterns& patterns, std::string_view pattern) {
        return pattern.empty() ? MaybeId() : patterns.add(pattern);
    }

    RulePatterns text_;
    RulePatterns link_;
    std::vector<Needs> needs_;
    RulePatterns::Id later_ = 0;
    RulePatterns::Id for_ever_ = 0;
    RulePatterns::Id refused_ = 0;
    bool compiled_ = false;
};

Classifier::Classifier(std::vector<ReplyRule> rules)
    : rules_(std::move(rules)), patterns_(std::make_unique<const Patterns>(rules_)) {}

Classifier::~Classifier() = default;

Result<std::unique_ptr<const Classifier>> Classifier::from_file(std::string_view json) {
    RuleFile file = parse_rule_file(json);
    if (!file.faults.empty()) return Error{ErrorKind::kInvalid, to_string(file.faults)};
    auto classifier = std::unique_ptr<const Classifier>(new Classifier(std::move(file.rules)));
    if (!classifier->patterns_->compiled())
        return Error{ErrorKind::kInvalid,
                     "/rules: the expressions together need too much memory (use fewer rules, and "
                     "no large {n,m} repetitions)"};
    return classifier;
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
    Patterns::Matches matches(*patterns_, folded);

    const auto enhanced = reply.enhanced ? reply.enhanced : enhanced_code_in(reply.text);
    Verdict verdict;
    for (std::size_t i = 0; i < rules_.size() && !verdict.by_rule; ++i)
        if (codes_match(rules_[i], stage, reply.code, enhanced) && patterns_->satisfied(i, matches))
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
        permanent = patterns_->final_words(verdict.category, matches);
    }
    verdict.action = action_for(verdict.category, permanent);
    return verdict;
}

Verdict Classifier::classify_line(std::string_view line, Stage stage) const {
    return classify(stage == Stage::kNone ? stage_of_line(line) : stage, parse_reply_line(line));
}

}  // namespace posthorn
