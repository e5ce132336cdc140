// Figures of parts of an audience, which the journal does not keep: by variant, and of a segment.
// Each is one walk over the campaign's recipients.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

struct PartFigures {
    std::string name;
    std::uint64_t recipients = 0;
    std::array<std::uint64_t, kOutcomeStateCount> by_state{};
};

// In the order of the file; empty for a campaign without variants.
Result<std::vector<PartFigures>> figures_by_variant(const Store& store,
                                                    const CampaignRecord& record);

Result<PartFigures> figures_of_segment(Store& store, const CampaignRecord& record,
                                       const std::string& segment, WallTime now);

// {"variant": NAME, "recipients": …, "outcomes": {…}}, the first under another key.
nlohmann::ordered_json part_json(const std::string& key, const PartFigures& part);

}  // namespace posthorn
