// The campaigns of a store: records by number, and their ids. Numbers are given once and never
// again, not even after a campaign is erased.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

class CampaignCatalog {
  public:
    // The store outlives it. One catalog creates at a time: creating reads, then writes.
    explicit CampaignCatalog(Store& store) : store_(store) {}

    // Stores the record under the next number and gives it back with it; kConflict when the id is
    // taken.
    Result<CampaignRecord> create(CampaignRecord campaign);
    Status update(const CampaignRecord& campaign);

    Result<std::optional<CampaignRecord>> find(std::string_view id) const;
    Result<std::optional<CampaignRecord>> get(CampaignNumber number) const;
    Result<std::vector<CampaignRecord>> list() const;  // by number

    static void append_update(WriteBatch& batch, const CampaignRecord& campaign);

    // The record and its id alone; what else is stored of it goes in the same batch.
    static void append_erase(WriteBatch& batch, const CampaignRecord& campaign);

  private:
    Result<CampaignNumber> last_number() const;

    Store& store_;
};

}  // namespace posthorn
