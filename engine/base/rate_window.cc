#include "engine/base/rate_window.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kFormat = 1;

// Buckets before the clock's epoch have numbers below zero: a record of yesterday on a machine that
// started today.
std::size_t slot_of(std::int64_t bucket, std::size_t buckets) {
    const auto n = static_cast<std::int64_t>(buckets);
    return static_cast<std::size_t>(((bucket % n) + n) % n);
}

std::int64_t bucket_of(Instant time, Duration length) {
    const std::int64_t micros = time.time_since_epoch().count();
    return (micros >= 0 ? micros : micros - length.count() + 1) / length.count();
}

}  // namespace

void RateWindow::set_rate(Rate rate) {
    if (rate.window != rate_.window) {
        counts_.fill(0);
        used_ = 0;
        newest_ = 0;
    }
    rate_ = rate;
}

void RateWindow::advance(Instant now) {
    const std::int64_t bucket = bucket_of(now, bucket_length());
    if (bucket <= newest_) return;
    const std::int64_t first =
        std::max(newest_ + 1, bucket - static_cast<std::int64_t>(kBuckets) + 1);
    for (std::int64_t b = first; b <= bucket; ++b) {
        std::uint32_t& count = counts_[slot_of(b, kBuckets)];
        used_ -= count;
        count = 0;
    }
    newest_ = bucket;
}

std::uint64_t RateWindow::available(Instant now) {
    advance(now);
    return used_ >= rate_.count ? 0 : rate_.count - used_;
}

void RateWindow::take(std::uint64_t count, Instant now) {
    CHECK(count <= available(now));
    counts_[slot_of(newest_, kBuckets)] += static_cast<std::uint32_t>(count);
    used_ += count;
}

// Out of the bucket that it was counted in: out of any other, later windows would see too many.
// Once that bucket has left the window there is nothing to give back.
void RateWindow::give_back(std::uint64_t count, Instant taken, Instant now) {
    advance(now);
    const std::int64_t bucket = bucket_of(taken, bucket_length());
    if (bucket > newest_ || newest_ - bucket >= static_cast<std::int64_t>(kBuckets)) return;
    std::uint32_t& held = counts_[slot_of(bucket, kBuckets)];
    const auto given = static_cast<std::uint32_t>(std::min<std::uint64_t>(held, count));
    held -= given;
    used_ -= given;
}

Instant RateWindow::next_available(Instant now) {
    if (available(now) > 0) return now;
    for (std::size_t i = 1; i <= kBuckets; ++i) {
        const std::int64_t bucket = newest_ + static_cast<std::int64_t>(i);
        if (counts_[slot_of(bucket, kBuckets)] > 0)  // it is cleared when this bucket begins
            return Instant(bucket_length() * bucket);
    }
    return now + rate_.window;  // a limit of zero: look again after a window
}

// u8(format) varint(window, us) then for each bucket that has counted: u64(its end, wall)
// varint(count)
std::string RateWindow::stored(Now now) const {
    std::string bytes;
    put_u8(bytes, kFormat);
    put_varint(bytes, static_cast<std::uint64_t>(rate_.window.count()));
    for (std::int64_t bucket = newest_ - static_cast<std::int64_t>(kBuckets) + 1; bucket <= newest_;
         ++bucket) {
        const std::uint32_t count = counts_[slot_of(bucket, kBuckets)];
        if (count == 0) continue;
        const Instant end(bucket_length() * (bucket + 1));
        put_u64(bytes, static_cast<std::uint64_t>(to_micros(now.wall + (end - now.instant))));
        put_varint(bytes, count);
    }
    return bytes;
}

bool RateWindow::restore(std::string_view stored, Now now) {
    ByteReader reader(stored);
    if (reader.u8() != kFormat) return false;
    if (reader.varint() != static_cast<std::uint64_t>(rate_.window.count())) return false;
    std::vector<std::pair<WallTime, std::uint32_t>> buckets;  // end, count
    while (!reader.at_end()) {
        const WallTime end = wall_from_micros(static_cast<std::int64_t>(reader.u64()));
        const std::uint64_t count = reader.varint();
        if (!reader.ok() || count > UINT32_MAX || buckets.size() > kBuckets) return false;
        buckets.emplace_back(end, static_cast<std::uint32_t>(count));
    }
    advance(now.instant);
    for (const auto& [end, count] : buckets) {
        // A clock that was set back meanwhile: as if it had been a moment ago.
        const Duration age = std::max(now.wall - end, Duration(0));
        if (age > rate_.window) continue;
        counts_[slot_of(bucket_of(now.instant - age, bucket_length()), kBuckets)] += count;
        used_ += count;
    }
    return true;
}

}  // namespace posthorn
