// What a segment asks about earlier campaigns, answered by the store: outcomes as the journal wrote
// them. Reads only; for one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "campaigns/segment.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

class StoredHistory final : public SegmentHistory {
  public:
    explicit StoredHistory(Store& store) : store_(store) {}

    Result<bool> knows(std::string_view campaign_id) override;
    Result<PastOutcome> outcome(std::string_view campaign_id, const Address& address) override;

  private:
    Result<std::optional<CampaignNumber>> number_of(std::string_view campaign_id);

    Store& store_;
    std::map<std::string, std::optional<CampaignNumber>, std::less<>> numbers_;
    std::string key_;
};

}  // namespace posthorn
