#include "engine/delivery/site_holds.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/queue/keys.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHoldsMax = 100'000;  // some 300 bytes each

std::string key_of(const std::string& site, const std::string& source) {
    std::string key = site;
    key += '\0';
    return key += source;
}

std::string encoded(const SiteHold& hold, Now now) {
    std::string value;
    put_u8(value, kFormat);
    put_u8(value, hold.braked ? 1 : 0);
    put_u64(value, static_cast<std::uint64_t>(to_micros(hold.since)));
    const bool ends = hold.until != Instant::max();
    put_u64(
        value,
        ends ? static_cast<std::uint64_t>(to_micros(now.wall + (hold.until - now.instant))) : 0);
    put_varint(value, hold.times);
    put_string(value, hold.domain);
    put_string(value, hold.reason);
    return value;
}

}  // namespace

std::optional<StoredSiteHold> decode_site_hold(std::string_view key, std::string_view value) {
    StoredSiteHold hold;
    ByteReader names(key);
    hold.site = names.until('\0');
    hold.source = names.rest();
    ByteReader in(value);
    const std::uint8_t format = in.u8();
    hold.braked = in.u8() == 1;
    hold.since = wall_from_micros(static_cast<std::int64_t>(in.u64()));
    const std::uint64_t until = in.u64();
    if (until != 0) hold.until = wall_from_micros(static_cast<std::int64_t>(until));
    hold.times = static_cast<std::uint32_t>(std::min<std::uint64_t>(in.varint(), UINT32_MAX));
    hold.domain = in.string();
    hold.reason = in.string();
    if (!names.ok() || !in.at_end() || format != kFormat) return std::nullopt;
    return hold;
}

Status for_each_site_hold(const Store& store,
                          const std::function<void(const StoredSiteHold&)>& visit) {
    const std::string prefix = state_prefix(kSiteHoldKind);
    const auto cursor = store.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        if (const auto hold =
                decode_site_hold(cursor->key().substr(prefix.size()), cursor->value()))
            visit(*hold);
    return cursor->status();
}

bool SiteHolds::restore(std::string_view key, std::string_view stored, Duration longest, Now now) {
    const auto hold = decode_site_hold(key, stored);
    if (!hold || full()) return false;
    Instant until = Instant::max();
    if (hold->until)
        until = now.instant + std::clamp<Duration>(*hold->until - now.wall, Duration(0), longest);
    holds_[{hold->site, hold->source}] = {hold->braked, hold->since,  until,
                                          hold->times,  hold->domain, hold->reason};
    return true;
}

const SiteHold* SiteHolds::find(const std::string& site, const std::string& source) const {
    if (holds_.empty()) return nullptr;
    const auto found = holds_.find({site, source});
    return found == holds_.end() ? nullptr : &found->second;
}

bool SiteHolds::any(const std::string& site) const {
    const auto at = holds_.lower_bound({site, {}});
    return at != holds_.end() && at->first.first == site;
}

bool SiteHolds::full() const { return holds_.size() >= kHoldsMax; }

PutState SiteHolds::put(const std::string& site, const std::string& source, SiteHold hold,
                        Now now) {
    PutState record{std::string(kSiteHoldKind), key_of(site, source), encoded(hold, now)};
    holds_[{site, source}] = std::move(hold);
    return record;
}

PutState SiteHolds::release(const std::string& site, const std::string& source) {
    holds_.erase({site, source});
    return {std::string(kSiteHoldKind), key_of(site, source), std::nullopt};
}

}  // namespace posthorn
