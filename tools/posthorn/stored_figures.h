// Exact figures of a campaign from what the journal has written: the lanes' as of its last
// checkpoint, and the events since. Reads only; a checkpoint meanwhile makes it read again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

struct DomainFigures {
    std::string domain;
    std::uint64_t recipients = 0;
    Figures figures;
};

struct CampaignFiguresRead {
    Figures total;
    std::vector<DomainFigures> domains;  // most recipients first
};

Result<CampaignFiguresRead> read_figures(const Store& store, CampaignNumber campaign);

// Counts what one event says.
void count_event(Figures& figures, const EventRecord& event);

}  // namespace posthorn
