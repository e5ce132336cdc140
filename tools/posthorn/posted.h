// Something done on the scheduler's loop, waited for from another thread.
#pragma once

#include <functional>

#include "engine/base/result.h"
#include "engine/delivery/scheduler.h"
#include "tools/posthorn/commands.h"

namespace posthorn {

// context.runtime is there. kBusy: the runtime is ending, the action was not and will not be done.
// The action may use what the caller has on its stack.
Status post_and_wait(const CommandContext& context,
                     const std::function<Status(Scheduler&, Now)>& action);

// Gives a campaign to the runtime, or has it read again what kept it from being sent.
Status add_and_wait(const CommandContext& context, const CampaignRecord& record);

}  // namespace posthorn
