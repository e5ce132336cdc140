// Everything that can be found wrong with a campaign before it is sent: its file, its templates,
// its list, and the messages of its first recipients. Touches no network and writes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/audience_count.h"
#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/campaign_file.h"
#include "campaigns/segment.h"
#include "engine/mail/address.h"
#include "engine/queue/model.h"

namespace posthorn {

struct CheckOptions {
    LoadOptions load;
    std::uint64_t rows_max = 0;     // of the list; 0: all
    std::uint64_t rendered = 1000;  // recipients whose messages are made and looked at
    std::function<Result<bool>(const Address&)> suppressed;  // empty: nobody is
    WallTime now;                                            // of segments and schedules
    bool entered = false;               // the campaign may be known already: its time may be past
    SegmentHistory* history = nullptr;  // null: what was sent before is not known
    bool count = false;                 // the whole list is read, and counted without duplicates
    std::function<std::vector<CampaignError>(const Campaign&)> more;  // what else is looked at
};

struct CheckedCampaign {
    Campaign campaign;                  // to be used only when ok()
    std::vector<CampaignError> errors;  // and warnings: the file's in its order, then the list's
    AudienceFigures figures;            // of the rows read; duplicates are looked for when counting
    std::optional<AudienceCount> count;  // when that was asked for, and the list could be read
    bool whole_list = false;             // all rows were read
    std::vector<std::string> columns;

    bool ok() const { return !has_errors(errors); }
};

// Too late to begin: schedule_past.
std::optional<CampaignError> schedule_fault(const Campaign& campaign, WallTime now);

CheckedCampaign check_campaign_file(const std::string& path, const CheckOptions& options);

}  // namespace posthorn
