// From the runtime's view to the picture that is shown of one campaign.
#pragma once

#include <vector>

#include "engine/server/runtime.h"
#include "tools/posthorn/progress.h"

namespace posthorn {

ProgressPicture picture_of(const CampaignRecord& record, Instant now);  // importing
ProgressPicture picture_of(const CampaignView& campaign, const RuntimeView& view,
                           const std::vector<Notice>& notices);

}  // namespace posthorn
