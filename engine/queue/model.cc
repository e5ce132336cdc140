#include "engine/queue/model.h"

namespace posthorn {

namespace {

constexpr std::array<std::string_view, kOutcomeStateCount> kOutcomeStateNames = {
    "pending", "deferred",  "delivered",  "bounced",
    "expired", "uncertain", "suppressed", "cancelled"};
constexpr std::array<std::string_view, kCampaignStateCount> kCampaignStateNames = {
    "importing", "running", "paused", "finished", "cancelled"};

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name) return static_cast<Enum>(i);
    return std::nullopt;
}

}  // namespace

std::string_view name_of(OutcomeState state) {
    return kOutcomeStateNames.at(static_cast<std::size_t>(state));
}

std::optional<OutcomeState> parse_outcome_state(std::string_view name) {
    return parse<OutcomeState>(kOutcomeStateNames, name);
}

std::string_view name_of(CampaignState state) {
    return kCampaignStateNames.at(static_cast<std::size_t>(state));
}

std::optional<CampaignState> parse_campaign_state(std::string_view name) {
    return parse<CampaignState>(kCampaignStateNames, name);
}

}  // namespace posthorn
