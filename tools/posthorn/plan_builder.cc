#include "tools/posthorn/plan_builder.h"

#include "campaigns/campaign_content.h"
#include "campaigns/campaign_definition.h"
#include "campaigns/dkim_keys.h"
#include "campaigns/message.h"
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
        MessageContent content = message_content(*campaign, record.columns);
        if (!bounce_domain.empty()) content.return_paths.emplace(*keys, bounce_domain);
        auto signer = dkim_signer(*campaign);
        if (!signer) return signer.error();
        content.signer = std::move(*signer);
        const CompiledContent compiled = compile_content(content, keys.get());
        if (compiled.renderer == nullptr)
            return Error{ErrorKind::kCorrupt, "campaign " + record.id +
                                                  " can no longer be compiled: " +
                                                  to_text(compiled.problems, record.id)};
        return CampaignPlan{record, compiled.renderer, campaign->retry, campaign->throttle};
    };
}

}  // namespace posthorn
