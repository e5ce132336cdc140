#include "tools/posthorn/plan_builder.h"

#include "campaigns/campaign_definition.h"
#include "campaigns/dkim_keys.h"
#include "campaigns/variants.h"
#include "engine/queue/content.h"

namespace posthorn {

PlanBuilder plan_builder(Store& store, std::shared_ptr<const TokenKeys> keys,
                         const Config& config) {
    return [&store, keys = std::move(keys), bounce_domain = config.bounce_domain](
               const CampaignRecord& record) -> Result<CampaignPlan> {
        auto campaign = load_normalised(record.definition);
        if (!campaign) return campaign.error();
        RETURN_IF_ERROR(attach_contents(
            *campaign, [&store](std::string_view hash) { return get_content(store, hash); }));
        MessageIdentity identity;
        if (!bounce_domain.empty()) identity.return_paths.emplace(*keys, bounce_domain);
        auto signer = dkim_signer(*campaign);
        if (!signer)  // never unsigned: it is held until the key is there
            return CampaignPlan{record,
                                nullptr,
                                campaign->retry,
                                campaign->throttle,
                                sending_schedule(campaign->schedule),
                                signer.error().message};
        identity.signer = std::move(*signer);
        const CompiledContent compiled =
            compile_campaign(*campaign, record.columns, keys.get(), identity);
        if (compiled.renderer == nullptr)
            return Error{ErrorKind::kCorrupt, "campaign " + record.id +
                                                  " can no longer be compiled: " +
                                                  to_text(compiled.problems, record.id)};
        return CampaignPlan{record,
                            compiled.renderer,
                            campaign->retry,
                            campaign->throttle,
                            sending_schedule(campaign->schedule),
                            ""};
    };
}

Status set_plan(Scheduler& scheduler, CampaignNumber number, const Campaign& campaign,
                const std::string& definition, Now now) {
    RETURN_IF_ERROR(scheduler.set_plan(number, campaign.retry, campaign.throttle, definition));
    return scheduler.set_schedule(number, sending_schedule(campaign.schedule), now);
}

}  // namespace posthorn
