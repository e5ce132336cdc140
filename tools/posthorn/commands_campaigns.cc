// pause, resume, cancel and set: what an operator says to one campaign. With a runtime through the
// scheduler, which persists it; without one on the stored record.
#include <nlohmann/json.hpp>

#include "campaigns/campaign_definition.h"
#include "engine/queue/campaign_catalog.h"
#include "tools/posthorn/campaign_settings.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/plan_builder.h"
#include "tools/posthorn/posted.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

CommandResult say(LineSink& sink, const std::string& id, CampaignState state,
                  const std::string& message) {
    sink.line(json_line(nlohmann::ordered_json{
        {"campaign", id}, {"state", name_of(state)}, {"message", id + message}}));
    return {};
}

bool is_over(const CampaignRecord& campaign) {
    // A cancelled one has work left until everybody in it is recorded as cancelled.
    return campaign.finished != WallTime();
}

CommandResult is_over_already(const CampaignRecord& campaign) {
    return invalid_input("campaign " + campaign.id + " is " + std::string(name_of(campaign.state)) +
                         " already");
}

// The campaign is known to the runtime when it delivers; one that is still being imported is not.
bool in_runtime(const CommandContext& context, const CampaignRecord& campaign) {
    return context.runtime != nullptr && campaign.state != CampaignState::kImporting;
}

// While a list is imported nothing else of the campaign may change: the import writes its record.
CommandResult is_importing(const CampaignRecord& campaign) {
    return invalid_input("campaign " + campaign.id +
                         " is being imported: nothing is sent before that is complete");
}

}  // namespace

CommandResult pause_campaign(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    if (is_over(*campaign)) return is_over_already(*campaign);
    if (campaign->state == CampaignState::kImporting) return is_importing(*campaign);
    Status paused;
    if (in_runtime(context, *campaign)) {
        paused = post_and_wait(context, [&](Scheduler& scheduler, Now now) {
            return scheduler.pause(campaign->number, "operator", now);
        });
    } else {
        campaign->state = CampaignState::kPaused;
        campaign->pause_reason = "operator";
        paused = CampaignCatalog(context.store).update(*campaign);
    }
    if (!paused) return failed(paused.error());
    return say(sink, campaign->id, CampaignState::kPaused,
               " is paused; what is in flight ends first. posthorn resume goes on");
}

CommandResult resume_campaign(const CommandContext& context, const nlohmann::json& request,
                              LineSink& sink) {
    auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    if (is_over(*campaign)) return is_over_already(*campaign);
    if (campaign->state == CampaignState::kImporting) return is_importing(*campaign);
    Status resumed;
    if (in_runtime(context, *campaign)) {
        resumed = add_and_wait(context, *campaign);
        if (resumed)
            resumed = post_and_wait(context, [&](Scheduler& scheduler, Now now) {
                return scheduler.resume(campaign->number, now);
            });
    } else {
        campaign->state = CampaignState::kRunning;
        campaign->pause_reason.clear();
        resumed = CampaignCatalog(context.store).update(*campaign);
    }
    if (!resumed) return failed(resumed.error());
    return say(sink, campaign->id, CampaignState::kRunning,
               context.runtime != nullptr ? " goes on" : " goes on with the next send or serve");
}

CommandResult cancel_campaign(const CommandContext& context, const nlohmann::json& request,
                              LineSink& sink) {
    auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    if (is_over(*campaign)) return is_over_already(*campaign);
    Status cancelled;
    if (in_runtime(context, *campaign)) {
        cancelled = post_and_wait(
            context, [&](Scheduler& scheduler, Now) { return scheduler.cancel(campaign->number); });
    } else if (context.runtime != nullptr) {
        return is_importing(*campaign);
    } else {
        // Who is left becomes an outcome "cancelled" when the campaign is next loaded.
        campaign->state = CampaignState::kCancelled;
        campaign->pause_reason.clear();
        cancelled = CampaignCatalog(context.store).update(*campaign);
    }
    if (!cancelled) return failed(cancelled.error());
    return say(sink, campaign->id, CampaignState::kCancelled, " is cancelled: nobody else gets it");
}

CommandResult set_campaign(const CommandContext& context, const nlohmann::json& request,
                           LineSink& sink) {
    auto record = find_campaign(context.store, text_field(request, "campaign"));
    if (!record) return failed(record.error());
    if (is_over(*record)) return is_over_already(*record);
    if (record->state == CampaignState::kImporting) return is_importing(*record);
    auto campaign = load_normalised(record->definition);
    if (!campaign) return failed(campaign.error());
    const CampaignSchedule before = campaign->schedule;
    std::vector<std::string> assignments;
    for (const nlohmann::json& assignment : array_field(request, "assignments"))
        if (assignment.is_string()) assignments.push_back(assignment.get<std::string>());
    if (const Status set =
            apply_settings(assignments, campaign->throttle, campaign->retry, campaign->schedule);
        !set)
        return failed(set.error());
    if (campaign->schedule.send_at != before.send_at && record->started != WallTime())
        return invalid_input("campaign " + record->id + " has begun already: send_at is past");
    record->definition = normalise(*campaign);
    const Status written =
        in_runtime(context, *record)
            ? post_and_wait(context,
                            [&](Scheduler& scheduler, Now now) {
                                return set_plan(scheduler, record->number, *campaign,
                                                record->definition, now);
                            })
            : CampaignCatalog(context.store).update(*record);
    if (!written) return failed(written.error());
    return say(sink, record->id, record->state, " is changed");
}

CommandResult purge_campaign(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    const auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    if (!is_over(*campaign))
        return invalid_input("campaign " + campaign->id + " is " +
                             std::string(name_of(campaign->state)) +
                             ": cancel it first, then its records can be deleted");
    if (const Status purged = purge(context.store, *campaign); !purged)
        return failed(purged.error());
    return say(sink, campaign->id, campaign->state,
               " is deleted with all its records; suppressions stay");
}

}  // namespace posthorn
