#include "engine/base/rate_window.h"

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {

namespace {

std::size_t slot_of(std::int64_t bucket, std::size_t buckets) {
    return static_cast<std::size_t>(bucket % static_cast<std::int64_t>(buckets));
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
    const std::int64_t bucket = now.time_since_epoch() / bucket_length();
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

// Out of the bucket that it was counted in: out of any other, later windows would see too many. Once
// that bucket has left the window there is nothing to give back.
void RateWindow::give_back(std::uint64_t count, Instant taken, Instant now) {
    advance(now);
    const std::int64_t bucket = taken.time_since_epoch() / bucket_length();
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

}  // namespace posthorn
