// Campaigns as they are stored, for commands that name one.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

// kNotFound says which there are.
Result<CampaignRecord> find_campaign(Store& store, std::string_view id);

// Audience, lanes, outcomes, retries, events and the record itself. Suppressions stay, and content
// that another campaign shares. The id may then be used again.
Status purge(Store& store, const CampaignRecord& campaign);

}  // namespace posthorn
