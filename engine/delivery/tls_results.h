// How TLS fared towards each policy domain, counted by day in the words of RFC 8460, so that a
// report can be made of it. A session counts once, for the domain whose mail it was opened for; of
// domains that ask for nothing (no policy found) only those that speak TLS at all are counted.
// Outlives the process through the state family; a crash loses the last seconds.
//
//   state/tls/YYYY-MM-DD/policy/domain := u8(format) varint(count)*   one for each TlsResult
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/delivery/messages.h"
#include "engine/delivery/tls_policy.h"

namespace posthorn {

inline constexpr std::string_view kTlsResultsKind = "tls";

struct TlsResultsKey {
    std::string day;  // "2026-04-02", UTC
    TlsPolicyType policy = TlsPolicyType::kNone;
    std::string domain;

    friend auto operator<=>(const TlsResultsKey&, const TlsResultsKey&) = default;
};
std::string to_string(const TlsResultsKey& key);
std::optional<TlsResultsKey> parse_tls_results_key(std::string_view text);

using TlsCounts = std::array<std::uint64_t, kTlsResultCount>;
std::optional<TlsCounts> decode_tls_counts(std::string_view stored);

class TlsResults {
  public:
    // As stored by an earlier process. False: too old to be kept.
    bool restore(std::string_view key, std::string_view stored, WallTime now);

    void count(const std::string& domain, TlsPolicyType policy, TlsResult result, Now now);

    // When what was counted is to be recorded; absent: nothing was.
    std::optional<Instant> due() const { return due_; }
    std::vector<PutState> take_changes();

    TlsCounts of_today(const std::string& domain, TlsPolicyType policy, WallTime now) const;

  private:
    std::map<TlsResultsKey, TlsCounts> counts_;  // of the latest day
    std::set<TlsResultsKey> changed_;
    std::optional<Instant> due_;
};

}  // namespace posthorn
