// posthorn send, in the process that owns the data directory: a campaign file is checked, known by
// its id or entered, its list imported, delivered and reported. What is said on the way, by line:
//
//   {"problem":{…}}    a fault or warning of the file or its list
//   {"progress":{…}}   a picture, some times a second (progress.h)
//   {"report":{…}}     the last
#pragma once

#include <cstdint>
#include <optional>

#include "campaigns/campaign.h"
#include "engine/queue/model.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/process_usage.h"

namespace posthorn {

class CampaignSending {
  public:
    // Both outlive it. before: what the process had used when the sending began.
    CampaignSending(CommandContext& context, LineSink& sink, const ProcessUsage& before);

    // Checks and enters the campaign. A result: there is nothing to deliver, for better or worse.
    std::optional<CommandResult> begin(const nlohmann::json& request);

    // The same of a campaign that was checked.
    std::optional<CommandResult> begin(Campaign campaign);

    // With context.runtime running: until the campaign ends, pauses, or the runtime does.
    CommandResult deliver();

    // Of a stored campaign whose import was not ended; it is delivered, and not waited for.
    CommandResult import_on(const CampaignRecord& stored);

  private:
    std::optional<CommandResult> check(const nlohmann::json& request);
    std::optional<CommandResult> enter();
    std::optional<CommandResult> go_on(const CampaignRecord& stored);
    std::optional<CommandResult> refuse(const std::vector<std::string>& keys);
    Status take_over_settings();
    Status wake_if_paused();
    std::optional<CommandResult> import();
    std::optional<CommandResult> hand_to_runtime();
    CommandResult follow();
    Status save_usage();
    Status save_usage_now_and_then();
    CommandResult end(const CampaignRecord& record, CommandResult result);
    void say_problems(const std::vector<CampaignError>& problems);
    bool say_importing(std::uint64_t rows);

    CommandContext& context_;
    LineSink& sink_;
    ProcessUsage before_;
    Instant began_;
    Instant said_at_, saved_at_;
    std::optional<ProcessUsage> used_before_;  // by earlier runs
    std::size_t domains_max_ = 0;              // of the report at the end
    Campaign campaign_;
    CampaignRecord record_;
};

// The whole of it, for a request that came over the control socket.
CommandResult send_campaign(CommandContext& context, const nlohmann::json& request, LineSink& sink);

// What serve begins with: lists whose import an earlier process did not end are imported on, and
// their campaigns delivered. Remarks go to the sink as {"message":…}.
CommandResult continue_imports(CommandContext& context, LineSink& sink);

}  // namespace posthorn
