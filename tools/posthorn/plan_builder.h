// From a stored campaign to what delivery needs of it: the definition is read back, its contents
// are fetched, and the messages compiled.
#pragma once

#include <memory>

#include "campaigns/campaign.h"
#include "campaigns/unsubscribe_token.h"
#include "engine/delivery/scheduler.h"
#include "engine/queue/store.h"
#include "engine/server/config.h"
#include "engine/server/runtime.h"

namespace posthorn {

// The store outlives it.
PlanBuilder plan_builder(Store& store, std::shared_ptr<const TokenKeys> keys, const Config& config);

// What may be changed of a campaign while it is delivered, on the scheduler's loop.
Status set_plan(Scheduler& scheduler, CampaignNumber number, const Campaign& campaign,
                const std::string& definition, Now now);

}  // namespace posthorn
