#include "campaigns/segment_history.h"

#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

Result<std::optional<CampaignNumber>> StoredHistory::number_of(std::string_view campaign_id) {
    const auto known = numbers_.find(campaign_id);
    if (known != numbers_.end()) return known->second;
    const auto record = CampaignCatalog(store_).find(campaign_id);
    if (!record) return record.error();
    std::optional<CampaignNumber> number;
    if (*record) number = (*record)->number;
    numbers_.emplace(campaign_id, number);
    return number;
}

Result<bool> StoredHistory::knows(std::string_view campaign_id) {
    const auto number = number_of(campaign_id);
    if (!number) return number.error();
    return number->has_value();
}

Result<PastOutcome> StoredHistory::outcome(std::string_view campaign_id, const Address& address) {
    const auto number = number_of(campaign_id);
    if (!number) return number.error();
    if (!*number) return PastOutcome::kNone;
    key_.clear();
    append_lane_prefix(key_, **number, address.domain);
    append_local_key(key_, address.local);
    const auto stored = store_.get(Family::kOutcome, key_);
    if (!stored) return stored.error();
    if (!*stored) return PastOutcome::kNone;
    const auto head = decode_outcome_head(**stored);
    if (!head) return head.error();
    switch (head->state) {
        case OutcomeState::kDelivered:
        case OutcomeState::kUncertain:
            return PastOutcome::kSent;
        case OutcomeState::kBounced:
            return PastOutcome::kBounced;
        default:
            return PastOutcome::kNone;
    }
}

}  // namespace posthorn
