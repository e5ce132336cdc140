// The messages of some recipients, made and looked at: what cannot be rendered, and what readers
// and receivers would hold against what was.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/message.h"

namespace posthorn {

struct SampleRecipient {
    std::string key;  // audience key
    std::string row;
    std::uint64_t number;  // of the list's row
};

// Each problem once, however many messages have it.
std::vector<CampaignError> check_messages(const Campaign& campaign, const MessageRenderer& renderer,
                                          const std::vector<SampleRecipient>& samples);

// How many of the recipients are role accounts; fed with all of them.
class RoleAccounts {
  public:
    void look_at(std::string_view local, std::string_view domain);
    std::vector<CampaignError> errors(const Campaign& campaign) const;  // one warning, or none

  private:
    std::uint64_t count_ = 0;
    std::string first_;
};

}  // namespace posthorn
