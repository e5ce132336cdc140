#include "engine/queue/campaign_catalog.h"

#include "engine/base/bytes.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

constexpr std::string_view kLastNumber = "campaigns";  // in meta: u32

Result<CampaignNumber> decode_number(std::string_view bytes) {
    ByteReader in(bytes);
    const CampaignNumber number = in.u32();
    if (!in.at_end())
        return Error{ErrorKind::kCorrupt,
                     "the store holds a damaged campaign number: restore the "
                     "data directory from a copy"};
    return number;
}

std::string encode_number(CampaignNumber number) {
    std::string bytes;
    put_u32(bytes, number);
    return bytes;
}

}  // namespace

Result<CampaignNumber> CampaignCatalog::last_number() const {
    const auto stored = store_.get(Family::kMeta, kLastNumber);
    if (!stored) return stored.error();
    if (!*stored) return CampaignNumber{0};
    return decode_number(**stored);
}

Result<CampaignRecord> CampaignCatalog::create(CampaignRecord campaign) {
    const auto present = find(campaign.id);
    if (!present) return present.error();
    if (*present)
        return Error{ErrorKind::kConflict, "there is a campaign '" + campaign.id + "' already"};
    const auto last = last_number();
    if (!last) return last.error();
    campaign.number = *last + 1;
    WriteBatch batch;
    batch.put(Family::kMeta, kLastNumber, encode_number(campaign.number));
    batch.put(Family::kCampaign, campaign_id_key(campaign.id), encode_number(campaign.number));
    append_update(batch, campaign);
    RETURN_IF_ERROR(store_.write(batch));
    return campaign;
}

Status CampaignCatalog::update(const CampaignRecord& campaign) {
    WriteBatch batch;
    append_update(batch, campaign);
    return store_.write(batch);
}

Result<std::optional<CampaignRecord>> CampaignCatalog::find(std::string_view id) const {
    const auto stored = store_.get(Family::kCampaign, campaign_id_key(id));
    if (!stored) return stored.error();
    if (!*stored) return std::optional<CampaignRecord>();
    const auto number = decode_number(**stored);
    if (!number) return number.error();
    return get(*number);
}

Result<std::optional<CampaignRecord>> CampaignCatalog::get(CampaignNumber number) const {
    const auto stored = store_.get(Family::kCampaign, campaign_number_key(number));
    if (!stored) return stored.error();
    if (!*stored) return std::optional<CampaignRecord>();
    auto campaign = decode_campaign(**stored);
    if (!campaign) return campaign.error();
    return std::optional(std::move(*campaign));
}

Result<std::vector<CampaignRecord>> CampaignCatalog::list() const {
    std::vector<CampaignRecord> campaigns;
    const auto cursor =
        store_.cursor(Family::kCampaign, kCampaignNumberPrefix, prefix_end(kCampaignNumberPrefix));
    for (cursor->seek(kCampaignNumberPrefix); cursor->valid(); cursor->next()) {
        auto campaign = decode_campaign(cursor->value());
        if (!campaign) return campaign.error();
        campaigns.push_back(std::move(*campaign));
    }
    RETURN_IF_ERROR(cursor->status());
    return campaigns;
}

void CampaignCatalog::append_update(WriteBatch& batch, const CampaignRecord& campaign) {
    batch.put(Family::kCampaign, campaign_number_key(campaign.number), encode(campaign));
}

void CampaignCatalog::append_erase(WriteBatch& batch, const CampaignRecord& campaign) {
    batch.erase(Family::kCampaign, campaign_number_key(campaign.number));
    batch.erase(Family::kCampaign, campaign_id_key(campaign.id));
}

}  // namespace posthorn
