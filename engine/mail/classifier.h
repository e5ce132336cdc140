// Understands SMTP replies: category, what to do, and the rule that said so. Rules are tried in
// order over the folded text, their patterns matched together (rule_patterns.h); what no rule knows
// is understood by its codes (reply_fallback.h). On doubt an address is not suppressed: a
// suppressing category counts only for an answer that can be about the recipient, and only when it
// is permanent.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/mail/reply.h"
#include "engine/mail/reply_rules.h"

namespace posthorn {

struct Verdict {
    Category category = Category::kUnknown;
    Action action = Action::kNone;
    std::string_view rule;  // lives as long as the classifier
    bool by_rule = false;   // false: understood by its codes alone; group it with
                            // normalise_reply and list it
};

// Immutable; any number of threads may ask at once.
class Classifier {
  public:
    // The rules of a file, or its faults, one a line.
    static Result<std::unique_ptr<const Classifier>> from_file(std::string_view json);

    // The rules compiled in.
    static std::unique_ptr<const Classifier> with_default_rules();

    ~Classifier();

    // A reply without a code (Reply::code 0, words from a bounce) is permanent when its enhanced
    // code is, or when it states a fact about the address or says so, and nothing in it speaks of
    // a later time.
    Verdict classify(Stage stage, const Reply& reply) const;

    // One line of text as in reply_line.h; stage kNone takes the stage that the line mentions.
    Verdict classify_line(std::string_view line, Stage stage = Stage::kNone) const;

    const std::vector<ReplyRule>& rules() const { return rules_; }

  private:
    class Patterns;

    explicit Classifier(std::vector<ReplyRule> rules);

    std::vector<ReplyRule> rules_;
    std::unique_ptr<const Patterns> patterns_;
};

}  // namespace posthorn
