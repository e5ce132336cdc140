#include "tools/posthorn/part_figures.h"

#include <nlohmann/json.hpp>

#include "campaigns/campaign_definition.h"
#include "engine/queue/keys.h"
#include "tools/posthorn/recipient_walk.h"

namespace posthorn {

namespace {

Status count(const RecipientWalk& walk, PartFigures& part) {
    const auto state = walk.state();
    if (!state) return state.error();
    ++part.recipients;
    ++part.by_state[static_cast<std::size_t>(*state)];
    return {};
}

}  // namespace

Result<std::vector<PartFigures>> figures_by_variant(const Store& store,
                                                    const CampaignRecord& record) {
    std::vector<PartFigures> parts;
    if (record.definition.empty()) return parts;
    const auto campaign = load_normalised(record.definition);
    if (!campaign) return campaign.error();
    if (campaign->variants.empty()) return parts;
    for (const Variant& variant : campaign->variants) parts.push_back({variant.name, 0, {}});
    const VariantChoice choice(*campaign);
    RecipientWalk walk(store, campaign_prefix(record.number));
    for (; walk.valid(); walk.next()) RETURN_IF_ERROR(count(walk, parts[choice.of(walk.key())]));
    RETURN_IF_ERROR(walk.status());
    return parts;
}

Result<PartFigures> figures_of_segment(Store& store, const CampaignRecord& record,
                                       const std::string& segment, WallTime now) {
    auto opened = StoredSegment::open(store, record, segment, now);
    if (!opened) return opened.error();
    PartFigures part{segment, 0, {}};
    RecipientWalk walk(store, campaign_prefix(record.number));
    for (; walk.valid(); walk.next()) {
        const auto has = (*opened)->has(walk);
        if (!has) return has.error();
        if (*has) RETURN_IF_ERROR(count(walk, part));
    }
    RETURN_IF_ERROR(walk.status());
    return part;
}

nlohmann::ordered_json part_json(const std::string& key, const PartFigures& part) {
    nlohmann::ordered_json outcomes = nlohmann::ordered_json::object();
    for (std::size_t state = 0; state < part.by_state.size(); ++state)
        outcomes[std::string(name_of(static_cast<OutcomeState>(state)))] = part.by_state[state];
    return {{key, part.name}, {"recipients", part.recipients}, {"outcomes", std::move(outcomes)}};
}

}  // namespace posthorn
