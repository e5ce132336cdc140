// The import of a campaign's list: intake on one side, sorted runs on the other, checkpoints of
// both together in between, so that a stopped import goes on where it was.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

struct CampaignImportOptions {
    std::string data_directory;
    std::function<bool(std::uint64_t rows_read)> proceed;  // false: stop, to go on another time
};

struct ImportEnd {
    bool complete = false;              // false without errors: stopped
    CampaignRecord record;              // as stored; running when complete
    std::vector<CampaignError> errors;  // of the list; then nothing of the campaign is left
};

// The record is one in state importing; its campaign has the list's place.
Result<ImportEnd> import_campaign(Store& store, const CampaignRecord& record,
                                  const Campaign& campaign, const CampaignImportOptions& options);

}  // namespace posthorn
