// Reads a campaign file (campaign format, version 1; JSON with comments) into a Campaign. Finds all
// faults at once and never ignores a key. Reads the files that it names; opens no other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"

namespace posthorn {

struct LoadOptions {
    bool allow_outside = false;      // files may lie outside the campaign file's directory
    bool has_bounce_domain = false;  // of posthorn.json; without it and return_path: a warning
};

struct LoadedCampaign {
    Campaign campaign;                  // to be used only when ok()
    std::vector<CampaignError> errors;  // and warnings, in the order of the file

    bool ok() const { return !has_errors(errors); }
};

LoadedCampaign load_campaign(const std::string& path, const LoadOptions& options);

// The same of a text; files are relative to directory, default_id stands for the file's stem.
LoadedCampaign read_campaign(std::string_view text, const std::string& directory,
                             std::string_view default_id, const LoadOptions& options);

}  // namespace posthorn
