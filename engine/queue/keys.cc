#include "engine/queue/keys.h"

#include <algorithm>
#include <bit>

#include "engine/base/ascii.h"
#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

constexpr std::size_t kHashBytes = 4;  // in front of the folded local part
constexpr char kCampaignIdPrefix = 'i';

// Times before 1970 do not occur in keys; they sort with the epoch.
std::uint64_t key_micros(WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(to_micros(time), 0));
}

// A lane and what stands behind its zero byte.
struct LanePart {
    CampaignNumber campaign;
    std::string_view domain, rest;
};

std::optional<LanePart> split_lane(std::string_view key) {
    ByteReader in(key);
    const CampaignNumber campaign = in.u32();
    const std::string_view domain = in.until('\0');
    if (!in.ok() || domain.empty()) return std::nullopt;
    return LanePart{campaign, domain, in.rest()};
}

}  // namespace

void append_folded(std::string& out, std::string_view local) {
    const std::size_t start = out.size();
    out.append(local);
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
                   out.begin() + static_cast<std::ptrdiff_t>(start),
                   [](char c) { return ascii_lower(c); });
}

std::string fold_local(std::string_view local) {
    std::string folded;
    append_folded(folded, local);
    return folded;
}

void append_local_key(std::string& out, std::string_view local) {
    const std::size_t start = out.size();
    out.append(kHashBytes, '\0');
    append_folded(out, local);
    const std::uint32_t hash = hash32(std::string_view(out).substr(start + kHashBytes));
    for (std::size_t i = 0; i < kHashBytes; ++i)
        out[start + i] = static_cast<char>(hash >> (8 * (kHashBytes - 1 - i)));
}

std::string local_key(std::string_view local) {
    std::string key;
    key.reserve(kHashBytes + local.size());
    append_local_key(key, local);
    return key;
}

std::optional<std::string_view> folded_local(std::string_view local_key) {
    ByteReader in(local_key);
    const std::uint32_t hash = in.u32();
    if (!in.ok() || hash != hash32(in.rest())) return std::nullopt;
    return in.rest();
}

void append_lane_prefix(std::string& out, CampaignNumber campaign, std::string_view domain) {
    put_u32(out, campaign);
    out.append(domain);
    out.push_back('\0');
}

void append_audience_key(std::string& out, const LaneId& lane, std::string_view local_key) {
    append_lane_prefix(out, lane.campaign, lane.domain);
    out.append(local_key);
}

std::string audience_key(const LaneId& lane, std::string_view local_key) {
    std::string key;
    append_audience_key(key, lane, local_key);
    return key;
}

std::optional<AudienceKey> parse_audience_key(std::string_view key) {
    const auto lane = split_lane(key);
    if (!lane || lane->rest.size() < kHashBytes) return std::nullopt;
    return AudienceKey{lane->campaign, lane->domain, lane->rest};
}

std::string campaign_prefix(CampaignNumber campaign) {
    std::string key;
    put_u32(key, campaign);
    return key;
}

std::string lane_key(const LaneId& lane) { return campaign_prefix(lane.campaign) + lane.domain; }

std::optional<LaneId> parse_lane_key(std::string_view key) {
    ByteReader in(key);
    const CampaignNumber campaign = in.u32();
    if (!in.ok() || in.rest().empty()) return std::nullopt;
    return LaneId{campaign, std::string(in.rest())};
}

std::uint8_t lane_band(std::uint64_t recipients) {
    CHECK(recipients > 0);
    return static_cast<std::uint8_t>(256 - std::bit_width(recipients));
}

std::string lane_order_key(CampaignNumber campaign, std::uint8_t band, std::string_view domain) {
    std::string key = campaign_prefix(campaign);
    put_u8(key, band);
    key.append(domain);
    return key;
}

std::string import_mark_key(CampaignNumber campaign) { return lane_order_key(campaign, 0, {}); }

std::optional<LaneOrderKey> parse_lane_order_key(std::string_view key) {
    ByteReader in(key);
    const CampaignNumber campaign = in.u32();
    const std::uint8_t band = in.u8();
    if (!in.ok() || band < kFirstLaneBand || in.rest().empty()) return std::nullopt;
    return LaneOrderKey{campaign, band, in.rest()};
}

std::string retry_prefix(const LaneId& lane, WallTime due) {
    std::string key;
    append_lane_prefix(key, lane.campaign, lane.domain);
    put_u64(key, key_micros(due));
    return key;
}

std::string retry_key(const LaneId& lane, WallTime due, std::string_view local_key) {
    std::string key = retry_prefix(lane, due);
    key.append(local_key);
    return key;
}

std::optional<RetryKey> parse_retry_key(std::string_view key) {
    const auto lane = split_lane(key);
    if (!lane) return std::nullopt;
    ByteReader in(lane->rest);
    const std::uint64_t due = in.u64();
    if (!in.ok() || in.rest().size() < kHashBytes || due > INT64_MAX) return std::nullopt;
    return RetryKey{lane->campaign, lane->domain, in.rest(),
                    wall_from_micros(static_cast<std::int64_t>(due))};
}

std::string sequence_key(std::uint64_t sequence) {
    std::string key;
    put_u64(key, sequence);
    return key;
}

std::optional<std::uint64_t> parse_sequence_key(std::string_view key) {
    ByteReader in(key);
    const std::uint64_t sequence = in.u64();
    if (!in.at_end()) return std::nullopt;
    return sequence;
}

std::string campaign_number_key(CampaignNumber campaign) {
    std::string key(kCampaignNumberPrefix);
    put_u32(key, campaign);
    return key;
}

std::string campaign_id_key(std::string_view id) { return kCampaignIdPrefix + std::string(id); }

std::string suppression_scope_prefix(std::string_view scope) {
    std::string key(scope);
    key.push_back('\0');
    return key;
}

std::string suppression_key(std::string_view scope, std::string_view address) {
    std::string key = suppression_scope_prefix(scope);
    const auto hash = hash128(fold_local(address));
    key.append(hash.data(), hash.size());
    return key;
}

void append_suppression_key(std::string& out, std::string_view scope, std::string_view folded_local,
                            std::string_view domain) {
    // The address is put together behind the prefix, hashed, and replaced by its hash.
    out.append(scope);
    out.push_back('\0');
    const std::size_t start = out.size();
    out.append(folded_local);
    out.push_back('@');
    out.append(domain);
    const auto hash = hash128(std::string_view(out).substr(start));
    out.resize(start);
    out.append(hash.data(), hash.size());
}

std::string state_prefix(std::string_view kind) {
    std::string key(kind);
    key.push_back('\0');
    return key;
}

std::string state_key(std::string_view kind, std::string_view key) {
    return state_prefix(kind).append(key);
}

}  // namespace posthorn
