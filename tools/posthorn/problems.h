// Faults of campaigns, for machines and for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "campaigns/campaign_errors.h"

namespace posthorn {

nlohmann::ordered_json problems_json(const std::vector<CampaignError>& problems);  // an array

// One fault as problems_json() gave it: place, severity, code, message, and the hint below.
std::string problem_text(const nlohmann::json& problem, const std::string& campaign_file);

}  // namespace posthorn
