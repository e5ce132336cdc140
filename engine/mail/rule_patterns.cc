#include "engine/mail/rule_patterns.h"

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {

namespace {

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

// Flags and quotations reach over alternations; expressions that use them stay whole.
bool safe_to_cut(std::string_view pattern) {
    if (pattern.find("\\Q") != std::string_view::npos) return false;
    for (std::size_t at = pattern.find("(?"); at != std::string_view::npos;
         at = pattern.find("(?", at + 2))
        if (at + 2 >= pattern.size() || pattern[at + 2] != ':') return false;
    return true;
}

// Past the character class that begins at this place.
std::size_t end_of_class(std::string_view pattern, std::size_t at) {
    ++at;
    if (at < pattern.size() && pattern[at] == '^') ++at;
    if (at < pattern.size() && pattern[at] == ']') ++at;
    while (at < pattern.size() && pattern[at] != ']') {
        if (pattern[at] == '\\') {
            ++at;
        } else if (pattern.substr(at, 2) == "[:") {
            const std::size_t end = pattern.find(":]", at);
            if (end != std::string_view::npos) at = end + 1;
        }
        ++at;
    }
    return at + 1;
}

bool is_expression(const std::string& text) {
    re2::RE2::Set probe(rule_pattern_options(), re2::RE2::UNANCHORED);
    return !text.empty() && probe.Add(text, nullptr) >= 0;
}

bool repeats(std::string_view expression) {
    return expression.find_first_of("*+{") != std::string_view::npos;
}

}  // namespace

re2::RE2::Options rule_pattern_options() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_case_sensitive(false);
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(kRuleSetMemory);
    return options;
}

std::vector<std::string> outermost_branches(std::string_view pattern) {
    std::vector<std::string> whole = {std::string(pattern)};
    if (!safe_to_cut(pattern)) return whole;
    std::vector<std::string> branches;
    std::size_t depth = 0;
    std::size_t start = 0;
    for (std::size_t at = 0; at < pattern.size();) {
        const char c = pattern[at];
        if (c == '[') {
            at = end_of_class(pattern, at);
            continue;
        }
        if (c == '(') ++depth;
        if (c == ')' && depth > 0) --depth;
        if (c == '|' && depth == 0) {
            branches.emplace_back(pattern.substr(start, at - start));
            start = at + 1;
        }
        at += c == '\\' ? 2 : 1;
    }
    branches.emplace_back(pattern.substr(std::min(start, pattern.size())));
    if (branches.size() == 1) return whole;
    return std::all_of(branches.begin(), branches.end(), is_expression) ? branches : whole;
}

RulePatterns::RulePatterns() {
    for (std::size_t i = 0; i <= kRepetitionSets; ++i)
        sets_.push_back({re2::RE2::Set(rule_pattern_options(), re2::RE2::UNANCHORED), {}});
}

RulePatterns::Id RulePatterns::add(std::string_view pattern) {
    CHECK(!compiled_ && sets_of_.size() < kMaxRulePatterns);
    const Id id = sets_of_.size();
    sets_of_.emplace_back();
    for (std::string& branch : outermost_branches(pattern)) {
        Piece piece{id, std::move(branch)};
        if (repeats(piece.expression))
            repeating_.push_back(std::move(piece));
        else
            add_to(0, piece);
    }
    return id;
}

void RulePatterns::add_to(std::size_t set, const Piece& piece) {
    CHECK(sets_[set].set.Add(piece_of(piece.expression), nullptr) >= 0);
    sets_[set].pattern_of.push_back(piece.pattern);
    sets_of_[piece.pattern].set(set);
}

bool RulePatterns::compile() {
    CHECK(!compiled_);
    compiled_ = true;
    for (std::size_t i = 0; i < repeating_.size(); ++i)
        add_to(1 + i * kRepetitionSets / repeating_.size(), repeating_[i]);
    repeating_.clear();
    return std::all_of(sets_.begin(), sets_.end(), [](Automaton& automaton) {
        return automaton.pattern_of.empty() || automaton.set.Compile();
    });
}

bool RulePatterns::Matches::has(Id pattern) {
    const auto& sets = patterns_.sets_of_[pattern];
    for (std::size_t i = 0; i <= kRepetitionSets && !found_.test(pattern); ++i)
        if (sets.test(i) && !ran_.test(i)) run(i);
    return found_.test(pattern);
}

void RulePatterns::Matches::run(std::size_t set) {
    ran_.set(set);
    const Automaton& automaton = patterns_.sets_[set];
    if (!automaton.set.Match(piece_of(text_), &members_)) return;
    for (const int member : members_)
        found_.set(automaton.pattern_of[static_cast<std::size_t>(member)]);
}

}  // namespace posthorn
