#include "tools/posthorn/stored_campaigns.h"

#include <set>

#include "campaigns/campaign_definition.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "tools/posthorn/process_usage.h"

namespace posthorn {

namespace {
constexpr std::size_t kNamesShown = 20;
}

Result<CampaignRecord> find_campaign(Store& store, std::string_view id) {
    const CampaignCatalog catalog(store);
    auto found = catalog.find(id);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    const auto campaigns = catalog.list();
    if (!campaigns) return campaigns.error();
    std::string known;
    for (std::size_t i = 0; i < campaigns->size() && i < kNamesShown; ++i)
        known += (i == 0 ? "" : ", ") + (*campaigns)[i].id;
    return Error{ErrorKind::kNotFound,
                 "there is no campaign '" + std::string(id) + "'" +
                     (known.empty() ? ": nothing was sent from this data directory yet"
                                    : "; there are: " + known)};
}

namespace {

Result<std::set<std::string>> content_hashes(const CampaignRecord& record) {
    std::set<std::string> hashes;
    if (record.definition.empty()) return hashes;
    const auto campaign = load_normalised(record.definition);
    if (!campaign) return campaign.error();
    for (const NamedContent& content : contents(*campaign)) hashes.emplace(content.sha256);
    return hashes;
}

// Content of this campaign that no other has.
Result<std::set<std::string>> own_content(Store& store, const CampaignRecord& campaign) {
    auto hashes = content_hashes(campaign);
    if (!hashes) return hashes.error();
    const auto all = CampaignCatalog(store).list();
    if (!all) return all.error();
    for (const CampaignRecord& other : *all) {
        if (other.number == campaign.number) continue;
        const auto shared = content_hashes(other);
        if (!shared) return shared.error();
        for (const std::string& hash : *shared) hashes->erase(hash);
    }
    return hashes;
}

}  // namespace

Status purge(Store& store, const CampaignRecord& campaign) {
    const auto hashes = own_content(store, campaign);
    if (!hashes) return hashes.error();
    const std::string prefix = campaign_prefix(campaign.number);
    const std::string end = prefix_end(prefix);
    constexpr Family kByCampaign[] = {Family::kAudience,  Family::kOrder,   Family::kLane,
                                      Family::kLaneOrder, Family::kOutcome, Family::kRetry};
    WriteBatch batch;
    for (const Family family : kByCampaign) batch.erase_range(family, prefix, end);
    for (const char* kind : {"figures", "mark", "cursor"}) {
        const std::string state = state_key(kind, prefix);
        batch.erase_range(Family::kState, state, prefix_end(state));
    }
    for (const std::string& hash : *hashes) batch.erase(Family::kContent, hash);
    append_erase_usage(batch, campaign.id);
    CampaignCatalog::append_erase(batch, campaign);
    RETURN_IF_ERROR(store.write(batch));
    for (const Family family : kByCampaign) store.compact(family, prefix, end);
    return {};
}

}  // namespace posthorn
