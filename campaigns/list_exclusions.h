// Who is left out of an audience: addresses and whole domains. Holds 16 bytes per address.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "engine/mail/address.h"

namespace posthorn {

inline constexpr std::size_t kMaxExcludedAddresses = 20'000'000;  // 320 MB

class ListExclusions {
  public:
    // Reads the lists. Rows that are no addresses exclude nobody.
    std::optional<CampaignError> load(const Exclusions& exclusions);

    bool empty() const { return addresses_.empty() && domains_.empty(); }
    bool contains(const Address& address) const;

  private:
    using Hash = std::array<char, 16>;

    std::optional<CampaignError> read_list(const std::string& path);

    std::vector<Hash> addresses_;  // sorted; of local in lower case @ domain
    std::unordered_set<std::string> domains_;
};

}  // namespace posthorn
