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
    std::uint64_t delivered = 0;
    std::uint64_t bounced = 0;
    std::uint64_t deferred = 0;
};

struct CampaignFiguresRead {
    Figures total;
    std::uint64_t domain_count = 0;
    std::vector<DomainFigures> domains;  // most recipients first, then by name
};

// No more than domains_max of the domains are kept at any time.
Result<CampaignFiguresRead> read_figures(const Store& store, CampaignNumber campaign,
                                         std::size_t domains_max);

// Counts what one event says.
void count_event(Figures& figures, const EventRecord& event);

}  // namespace posthorn
