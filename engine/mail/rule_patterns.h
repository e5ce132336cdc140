// Many expressions asked about one text. Each expression is cut at its outermost alternations; the
// pieces without repetition share one automaton, those with repetition ("user .* unknown") are
// spread over several in the order of their addition, because the states of an automaton multiply
// with the repetitions in it: together they would cost milliseconds on hostile text. Automata are
// run only when an expression in them is asked for.
#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

inline constexpr std::size_t kMaxRulePatterns = 2048;
inline constexpr std::size_t kRepetitionSets = 3;  // more cost ordinary replies more than they save
inline constexpr std::int64_t kRuleSetMemory = 8 << 20;  // program and states of one automaton

// Bytes as Latin-1 (a reply may hold anything), without regard to case, the text as one line.
re2::RE2::Options rule_pattern_options();

// The branches of the outermost alternation of an expression; itself when it has none or is written
// in a way that is not safe to cut.
std::vector<std::string> outermost_branches(std::string_view pattern);

class RulePatterns {
  public:
    using Id = std::size_t;

    RulePatterns();

    // pattern is a valid expression (see rule_pattern_options). Before compile().
    Id add(std::string_view pattern);

    // False if the expressions need more memory than kRuleSetMemory allows.
    bool compile();

    // What is known of one text. Ask from one thread; the text must outlive it.
    class Matches {
      public:
        Matches(const RulePatterns& patterns, std::string_view text)
            : patterns_(patterns), text_(text) {}

        bool has(Id pattern);

      private:
        void run(std::size_t set);

        const RulePatterns& patterns_;
        std::string_view text_;
        std::bitset<kMaxRulePatterns> found_;
        std::bitset<kRepetitionSets + 1> ran_;
        std::vector<int> members_;
    };

  private:
    struct Piece {
        Id pattern;
        std::string expression;
    };

    struct Automaton {
        re2::RE2::Set set;
        std::vector<Id> pattern_of;  // by member of the set
    };

    void add_to(std::size_t set, const Piece& piece);

    std::vector<Automaton> sets_;  // the first holds the pieces without repetition
    std::vector<std::bitset<kRepetitionSets + 1>> sets_of_;  // by pattern: where its pieces are
    std::vector<Piece> repeating_;                           // until compile()
    bool compiled_ = false;
};

}  // namespace posthorn
