#include "engine/delivery/conduct.h"

namespace posthorn {

namespace {

constexpr Duration kSpan = std::chrono::minutes(10);
constexpr std::size_t kSignsMin = 3;
constexpr std::size_t kPercentMin = 5;
constexpr std::uint32_t kActedUpon = 3;

}  // namespace

bool Conduct::note(Sign sign, Instant now) {
    expire(now);
    if (size_ == kAnswersMax) drop_oldest();
    const std::size_t place = (oldest_ + size_) % kAnswersMax;
    if (place == answers_.size()) answers_.emplace_back();
    answers_[place] = Answer(now, static_cast<std::uint32_t>(sign));
    ++size_;
    ++counts_[static_cast<std::size_t>(sign)];
    return sign != Sign::kNone && count(sign) >= kSignsMin &&
           count(sign) * 100 >= size_ * kPercentMin;
}

bool Conduct::worked(Instant now) {
    expire(now);
    return count(Sign::kNone) > 0;
}

void Conduct::forget(Sign sign) {
    for (std::size_t i = 0; i < size_; ++i) {
        Answer& answer = answers_[(oldest_ + i) % kAnswersMax];
        if (answer.sign() != static_cast<std::uint32_t>(sign)) continue;
        answer = Answer(answer.at(), kActedUpon);
        --counts_[static_cast<std::size_t>(sign)];
        ++counts_[kActedUpon];
    }
}

void Conduct::expire(Instant now) {
    while (size_ > 0 && answers_[oldest_].at() < now - kSpan) drop_oldest();
}

void Conduct::drop_oldest() {
    --counts_[answers_[oldest_].sign()];
    oldest_ = (oldest_ + 1) % kAnswersMax;
    --size_;
}

}  // namespace posthorn
