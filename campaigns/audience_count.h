// Who a campaign would go to, counted without queueing anybody: recipients by domain and variant,
// duplicates told apart. Holds some 16 bytes a recipient.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "campaigns/variants.h"

namespace posthorn {

class AudienceCount {
  public:
    explicit AudienceCount(const Campaign& campaign);

    // False: the address was there before.
    bool add(std::string_view audience_key, std::string_view domain);

    std::uint64_t recipients() const { return recipients_; }
    std::uint64_t duplicates() const { return duplicates_; }
    const std::vector<std::pair<std::string, std::uint64_t>>& variants() const { return variants_; }

    // The largest, at most so many; and how many there are.
    std::vector<std::pair<std::string, std::uint64_t>> largest_domains(std::size_t count_max) const;
    std::size_t domains() const { return domains_.size(); }

  private:
    std::unordered_set<std::uint64_t> seen_;
    std::map<std::string, std::uint64_t, std::less<>> domains_;
    std::optional<VariantChoice> choice_;
    std::vector<std::pair<std::string, std::uint64_t>> variants_;
    std::uint64_t recipients_ = 0, duplicates_ = 0;
};

}  // namespace posthorn
