// The keys of the campaign format, version 1: one table, from which unknown and not yet carried out
// keys are reported. The published schema is held against it by a test.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "campaigns/campaign_file_reader.h"

namespace posthorn {

// Whether this release does what the key says.
enum class KeySupport : std::uint8_t { kCarriedOut, kNotYet };

struct KnownKey {
    std::string_view parent;  // pointer of the object; "*" stands for any key or index
    std::string_view name;
    KeySupport support = KeySupport::kCarriedOut;
};

std::span<const KnownKey> known_keys();

// Reports every key that the table does not have, and every one not carried out yet.
void check_known_keys(CampaignReading& reading, const nlohmann::ordered_json& file);

// The known name that a wrong one most likely meant; empty if none is near.
std::string_view nearest_key(std::string_view parent, std::string_view wrong);

}  // namespace posthorn
