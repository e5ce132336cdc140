// The keys of every family as a grammar, and the only code that writes or reads them. Integers are
// big-endian, so that keys sort as numbers. Keys read back may be anything: what is not one is
// nullopt.
//
//   audience, outcome := lane 0 local
//   local             := u32(hash32(folded)) folded
//   folded            := the local part in ASCII lower case
//   order             := lane 0 position                          of campaigns with priorities
//   position          := u64(rank) local                          the lowest rank is sent first
//   lane              := u32(campaign) domain
//   lane order        := u32(campaign) u8(255 - floor(log2(size))) domain
//   mark of an import := u32(campaign) u8(0)                      in lane order
//   retry             := lane 0 u64(due, us) local
//   lease, event      := u64(sequence)
//   campaign          := 'n' u32(campaign) | 'i' id
//   content           := SHA-256, hexadecimal
//   suppression       := scope 0 hash128(address, folded)
//   state             := kind 0 key
//   meta              := name
//
// A domain is an A-label in lower case; domain, scope and kind hold no zero byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/queue/model.h"

namespace posthorn {

std::string fold_local(std::string_view local);
void append_folded(std::string& out, std::string_view local);

// The local key of a local part as written.
std::string local_key(std::string_view local);
void append_local_key(std::string& out, std::string_view local);

// The folded local part within a local key; nullopt if its hash is not that of its text.
std::optional<std::string_view> folded_local(std::string_view local_key);

// ---- audience, outcome
void append_lane_prefix(std::string& out, CampaignNumber campaign, std::string_view domain);
void append_audience_key(std::string& out, const LaneId& lane, std::string_view local_key);
std::string audience_key(const LaneId& lane, std::string_view local_key);

inline constexpr std::size_t kRankBytes = 8;  // of a position, before its local key

struct AudienceKey {
    CampaignNumber campaign;
    std::string_view domain, local;  // views of the key; local is the local key
};
std::optional<AudienceKey> parse_audience_key(std::string_view key);

// All keys of a campaign start with it, in every family but campaign, lease and event.
std::string campaign_prefix(CampaignNumber campaign);

// ---- lane, lane order
std::string lane_key(const LaneId& lane);
std::optional<LaneId> parse_lane_key(std::string_view key);

std::uint8_t lane_band(std::uint64_t recipients);  // 255 - floor(log2), recipients > 0
std::string lane_order_key(CampaignNumber campaign, std::uint8_t band, std::string_view domain);
inline constexpr std::uint8_t kFirstLaneBand = 255 - 63;
std::string import_mark_key(CampaignNumber campaign);

struct LaneOrderKey {
    CampaignNumber campaign;
    std::uint8_t band;
    std::string_view domain;
};
std::optional<LaneOrderKey> parse_lane_order_key(std::string_view key);  // not the import's mark

// ---- retry
std::string retry_key(const LaneId& lane, WallTime due, std::string_view local_key);
std::string retry_prefix(const LaneId& lane, WallTime due);

struct RetryKey {
    CampaignNumber campaign;
    std::string_view domain, local;
    WallTime due;
};
std::optional<RetryKey> parse_retry_key(std::string_view key);

// ---- lease, event
std::string sequence_key(std::uint64_t sequence);
std::optional<std::uint64_t> parse_sequence_key(std::string_view key);

// ---- campaign
std::string campaign_number_key(CampaignNumber campaign);
std::string campaign_id_key(std::string_view id);
inline constexpr std::string_view kCampaignNumberPrefix = "n";

// ---- suppression, state
std::string suppression_scope_prefix(std::string_view scope);
std::string suppression_key(std::string_view scope, std::string_view address);
void append_suppression_key(std::string& out, std::string_view scope, std::string_view folded_local,
                            std::string_view domain);
std::string state_key(std::string_view kind, std::string_view key);
std::string state_prefix(std::string_view kind);

}  // namespace posthorn
