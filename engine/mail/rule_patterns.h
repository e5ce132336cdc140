// How the patterns of reply rules are compiled: bytes as Latin-1 (a reply may hold anything),
// without regard to case, the whole folded reply as one line.
#pragma once

#include <re2/re2.h>

namespace posthorn {

// Bounds the compiled program of all rules and its cache of states together.
inline constexpr std::int64_t kRulePatternMemory = 128 << 20;

inline re2::RE2::Options rule_pattern_options() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_case_sensitive(false);
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(kRulePatternMemory);
    return options;
}

}  // namespace posthorn
