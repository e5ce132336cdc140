// posthorn check and posthorn preview: they need a campaign file and nothing else, change nothing
// and ask nobody.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "engine/queue/store.h"
#include "engine/server/config.h"
#include "tools/posthorn/command.h"

namespace posthorn {

// A line per fault and warning; with "count" in the request a last one, {"count":{…}}, of who would
// get the campaign and when. Invalid input when there is a fault. The store may be null: then
// nobody is suppressed, and nothing was ever sent.
CommandResult run_check(const nlohmann::json& request, const Config& config, Store* store,
                        LineSink& sink);

// Whether the answer depends on what is stored, when anything is.
bool check_needs_store(const nlohmann::json& request, const Config& config);

// The last line of a check for people.
std::string audience_count_text(const nlohmann::json& count);

// The message's bytes, raw; into request["out"] as a file when that is there.
CommandResult run_preview(const nlohmann::json& request, const Config& config, std::string& bytes,
                          LineSink& sink);

WallTime wall_now();

// One recipient of a campaign and the columns of the list.
struct PickedRecipient {
    std::string key, row;
    std::vector<std::string> columns;
    std::vector<CampaignError> problems;  // of the list, when nobody was found
};

// The recipient with that address; the list's first for an empty one. A result: there is none.
std::optional<CommandResult> pick_recipient(const Campaign& campaign, const std::string& as,
                                            PickedRecipient& picked);

}  // namespace posthorn
