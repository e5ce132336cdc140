#include "tools/sink/traffic.h"

namespace posthorn::sink {

void PeakRate::add(Instant now) {
    const std::int64_t step = now.time_since_epoch() / step_;
    if (step - newest_ >= kSteps) {
        counts_.fill(0);
        sum_ = 0;
        newest_ = step;
    }
    while (newest_ < step) {
        std::uint32_t& left = counts_[static_cast<std::size_t>(++newest_ % kSteps)];
        sum_ -= left;
        left = 0;
    }
    ++counts_[static_cast<std::size_t>(step % kSteps)];
    peak_ = std::max(peak_, ++sum_);
}

void Traffic::recipient_asked(Instant now) {
    ++asked;
    in_second.add(now);
    in_minute.add(now);
}

}  // namespace posthorn::sink
