// A campaign as it is stored: what it is, what became of its list, where it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/time.h"

namespace posthorn {

using CampaignNumber = std::uint32_t;  // dense, never reused; stands for the id in every key

// What became of the rows of a list: rows is the sum of all the others.
struct AudienceFigures {
    std::uint64_t rows = 0, invalid = 0, duplicate = 0, suppressed = 0, excluded = 0,
                  recipients = 0;

    friend bool operator==(const AudienceFigures&, const AudienceFigures&) = default;
};

// Names and their order are stored and shown; add at the end.
enum class CampaignState : std::uint8_t { kImporting, kRunning, kPaused, kFinished, kCancelled };
inline constexpr std::size_t kCampaignStateCount = 5;
std::string_view name_of(CampaignState state);
std::optional<CampaignState> parse_campaign_state(std::string_view name);

struct CampaignRecord {
    CampaignNumber number = 0;
    std::string id;
    CampaignState state = CampaignState::kImporting;
    std::string pause_reason;  // "operator", "stop_if.bounce_percent", …
    WallTime created, started, finished;
    Duration active{0};  // time spent delivering, over all runs
    std::uint64_t lanes = 0;
    AudienceFigures audience;
    std::vector<std::string> columns;  // names of the variables, in the order of audience rows
    std::string definition;            // the normalised campaign file, owned by campaigns/
    std::vector<std::pair<std::string, std::string>> digests;  // what may not change: name, hash

    friend bool operator==(const CampaignRecord&, const CampaignRecord&) = default;
};

}  // namespace posthorn
