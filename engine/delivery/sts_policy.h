// MTA-STS (RFC 8461) as values: what a domain publishes of the mail hosts that are its own and of
// their TLS, parsed from its TXT record and its policy file, matched against hosts, and kept.
// Parsers are bounded; nothing here asks or fetches.
//
//   state/sts/domain := u8(format) u8(mode) u64(fetched, us) u64(expires, us) string(id)
//                       varint(count) string(mx)*
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/delivery/messages.h"

namespace posthorn {

inline constexpr std::string_view kStsKind = "sts";
inline constexpr std::size_t kStsPolicyBytesMax = 64 * 1024;  // section 3.3: senders may stop there

enum class StsMode : std::uint8_t { kNone, kTesting, kEnforce };
std::string_view name_of(StsMode mode);  // "enforce"

struct StsPolicy {
    StsMode mode = StsMode::kNone;
    std::vector<std::string> mx;  // lower case; "*.example.com" is any one label before it
    Duration max_age{0};

    bool covers(std::string_view host) const;  // lower case

    friend bool operator==(const StsPolicy&, const StsPolicy&) = default;
};

// The file at https://mta-sts.DOMAIN/.well-known/mta-sts.txt (section 3.2). kInvalid says why it is
// no policy.
Result<StsPolicy> parse_sts_policy(std::string_view text);

// The id of the one record at _mta-sts.DOMAIN (section 3.1); nothing if there is none, or several.
std::optional<std::string> parse_sts_record(const std::vector<std::string>& texts);

// The policies of domains, for as long as each says, at most so many of them; outlives the process
// through the state family.
class StsCache {
  public:
    struct Entry {
        std::shared_ptr<const StsPolicy> policy;
        std::string id;
        WallTime fetched;
        WallTime expires;
    };

    // As stored by an earlier process. False: it says nothing any more.
    bool restore(const std::string& domain, std::string_view stored, WallTime now);

    const Entry* find(const std::string& domain, WallTime now) const;

    // Remembered, and what is to be recorded of it.
    PutState keep(const std::string& domain, StsPolicy policy, std::string id, WallTime now);

  private:
    Entry& entry(const std::string& domain);

    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace posthorn
