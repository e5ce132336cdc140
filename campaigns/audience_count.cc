#include "campaigns/audience_count.h"

#include <algorithm>

#include "engine/base/hash.h"

namespace posthorn {

AudienceCount::AudienceCount(const Campaign& campaign) {
    if (campaign.variants.empty()) return;
    choice_.emplace(campaign);
    for (const Variant& variant : campaign.variants) variants_.emplace_back(variant.name, 0);
}

bool AudienceCount::add(std::string_view audience_key, std::string_view domain) {
    if (!seen_.insert(hash64(audience_key)).second) {
        ++duplicates_;
        return false;
    }
    ++recipients_;
    const auto known = domains_.find(domain);
    if (known != domains_.end())
        ++known->second;
    else
        domains_.emplace(domain, 1);
    if (choice_) ++variants_[choice_->of(audience_key)].second;
    return true;
}

std::vector<std::pair<std::string, std::uint64_t>> AudienceCount::largest_domains(
    std::size_t count_max) const {
    std::vector<std::pair<std::string, std::uint64_t>> all(domains_.begin(), domains_.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    all.resize(std::min(all.size(), count_max));
    return all;
}

}  // namespace posthorn
