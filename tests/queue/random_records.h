// Random records of every kind, for properties of their encodings.
#pragma once

#include "engine/base/random.h"
#include "engine/queue/model.h"

namespace posthorn {

std::string random_text(Random& random, std::size_t bytes_max);
OutcomeRecord random_outcome(Random& random);
LeaseRecord random_lease(Random& random);
LaneRecord random_lane(Random& random);
CampaignRecord random_campaign(Random& random);
EventRecord random_event(Random& random);
SuppressionRecord random_suppression(Random& random);

}  // namespace posthorn
