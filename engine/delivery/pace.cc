#include "engine/delivery/pace.h"

#include <cmath>

#include "engine/base/bytes.h"

namespace posthorn {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint8_t kFormat = 1;
constexpr double kStored = 1e6;
constexpr std::uint64_t kUnlimited = UINT64_MAX;

constexpr int kInARow = 3;  // a cohort: none of it was taken
constexpr double kRateMin = 1.0 / 60;
constexpr double kBurst = 0.1;     // seconds of the rate that may go at once
constexpr double kSureAfter = 10;  // seconds: before, a burst the site allowed hides its rate
constexpr double kCut = 0.92, kCutUnsure = 0.5;
constexpr double kStay = 0.95;    // of what is known to be taken
constexpr double kApproach = 20;  // seconds
constexpr double kTryFirst = 0.001, kTryMost = 0.03, kTryDoubles = 15;  // growth a second
constexpr double kCountedApart = 15;  // seconds, while more is tried
constexpr Duration kPauseFirst = seconds(5), kPauseStep = seconds(3), kPauseMax = minutes(5);
constexpr Duration kProbeMax = minutes(2);  // then another may be made: its answer may never come
constexpr Duration kStayMin = minutes(5);
constexpr int kStayPauses = 12;  // a try of more may cost a pause: then no more than 1/12
constexpr Duration kShortLately = seconds(2);
constexpr Duration kKept = std::chrono::hours(24);
constexpr Duration kRecordEvery = minutes(1);
constexpr int kLatenciesMin = 16;

double seconds_of(Duration span) { return std::chrono::duration<double>(span).count(); }

Duration duration_of(double span) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(span));
}

}  // namespace

std::uint64_t Pace::allowed(Instant now) {
    if (paused(now)) return 0;
    if (probing_) return probe_out_ && now < probe_until_ ? 0 : 1;
    if (rate_ == 0) return kUnlimited;
    tokens_ = std::min(std::max(1.0, rate_ * kBurst), tokens_ + seconds_of(now - filled_) * rate_);
    filled_ = now;
    if (tokens_ < 1) short_since_ = now;
    return static_cast<std::uint64_t>(std::max(0.0, tokens_));
}

Instant Pace::next(Instant now) const {
    if (paused(now)) return paused_until_;
    if (probing_) return probe_out_ ? std::max(now, probe_until_) : now;
    if (rate_ == 0 || tokens_ >= 1) return now;
    return filled_ + duration_of((1 - tokens_) / rate_) + Duration(1);
}

void Pace::take(std::uint64_t count, Instant now) {
    if (probing_) {
        probe_out_ = true;
        probe_until_ = now + kProbeMax;
    } else if (rate_ > 0) {
        tokens_ -= static_cast<double>(count);
    }
}

void Pace::give_back() {
    if (probing_) {
        probe_out_ = false;
    } else if (rate_ > 0) {
        tokens_ += 1;
    }
}

void Pace::count_from(Instant now) {
    count_ = busy_ = earlier_count_ = earlier_busy_ = 0;
    answered_at_ = now;
}

void Pace::answered(Instant now) {
    in_a_row_ = 0;
    of_recipient_ = false;
    if (paused(now)) return;  // of before
    if (probing_) {
        probing_ = probe_out_ = false;
        pause_ = now - pause_began_;
        tokens_ = 0;
        filled_ = now;
        count_from(now);
        return;
    }
    const double longest_gap = rate_ > 0 ? std::max(2.0, 3 / rate_) : 2.0;
    const double gap =
        answered_at_ == Instant() ? 0 : std::min(seconds_of(now - answered_at_), longest_gap);
    busy_ += gap;
    answered_at_ = now;
    ++count_;
    if (rate_ > 0 && now - short_since_ <= kShortLately) {
        const double step = std::min(gap, 1.0);
        const double top = kStay * known_;
        if (rate_ < top) {
            rate_ += step * ((top - rate_) / kApproach + known_ * 0.0005);
        } else if (now >= stay_until_) {
            if (!trying_more_ || busy_ >= kCountedApart) {
                earlier_count_ = trying_more_ ? count_ : 0;
                earlier_busy_ = trying_more_ ? busy_ : 0;
                count_ = busy_ = 0;
                trying_more_ = true;
            }
            const double doublings = std::min(seconds_of(now - stay_until_) / kTryDoubles, 20.0);
            rate_ *= 1 + step * std::min(kTryMost, kTryFirst * std::exp2(doublings));
        }
    }
}

bool Pace::asked_for_less(Instant now) {
    if (paused(now)) return false;
    if (probing_) {
        prolong_pause(now);
        return false;
    }
    of_recipient_ = true;
    return ++in_a_row_ >= kInARow && cut(now);
}

bool Pace::cut(Instant now) {
    if (paused(now) || probing_) return false;
    const double span = std::max(0.1, busy_ + earlier_busy_);
    double taken = (count_ + earlier_count_) / span;
    if (rate_ > 0) taken = std::min(taken, rate_);
    known_ = std::max(kRateMin, taken);
    rate_ = std::max(kRateMin, (span >= kSureAfter ? kCut : kCutUnsure) * known_);
    trying_more_ = false;
    stay_until_ = now + std::max<Duration>(kStayMin, kStayPauses * pause_);
    pause(now);
    return true;
}

// A pause alone where nothing of ours was refused: what it takes once it takes anything is not
// known.
void Pace::refused_session(Instant now) {
    if (paused(now)) return;
    if (probing_) return prolong_pause(now);
    if (++in_a_row_ < kInARow) return;
    if (of_recipient_) {
        cut(now);
    } else {
        pause(now);
    }
}

void Pace::pause(Instant now) {
    in_a_row_ = 0;
    of_recipient_ = false;
    pause_began_ = now;
    paused_until_ = now + std::clamp<Duration>(pause_ * 19 / 20, kPauseFirst, kPauseMax);
    probing_ = true;
    probe_out_ = false;
}

void Pace::prolong_pause(Instant now) {
    probe_out_ = false;
    paused_until_ = now + std::clamp<Duration>((now - pause_began_) / 4, kPauseStep, kPauseMax);
}

void Pace::took(Duration latency) {
    const double now = seconds_of(latency);
    latency_ = latencies_ == 0 ? now : latency_ + (now - latency_) / kLatenciesMin;
    if (latencies_ < kLatenciesMin) ++latencies_;
    if (latencies_ == kLatenciesMin) shortest_ = std::min(shortest_, latency_);
}

bool Pace::worth_recording(Instant now) const {
    return rate_ > 0 && now - recorded_at_ >= kRecordEvery &&
           std::abs(rate_ - recorded_rate_) > recorded_rate_ / 20;
}

void Pace::recorded(Instant now) {
    recorded_rate_ = rate_;
    recorded_at_ = now;
}

std::string Pace::stored(Now now) const {
    std::string bytes;
    put_u8(bytes, kFormat);
    put_u64(bytes, static_cast<std::uint64_t>(rate_ * kStored));
    put_u64(bytes, static_cast<std::uint64_t>(known_ * kStored));
    put_u64(bytes, static_cast<std::uint64_t>(pause_.count()));
    put_u64(bytes, static_cast<std::uint64_t>(to_micros(now.wall)));
    return bytes;
}

bool Pace::restore(std::string_view stored, Now now) {
    ByteReader in(stored);
    const std::uint8_t format = in.u8();
    const double rate = static_cast<double>(in.u64()) / kStored;
    const double known = static_cast<double>(in.u64()) / kStored;
    const auto pause = static_cast<std::int64_t>(in.u64());
    const WallTime time = wall_from_micros(static_cast<std::int64_t>(in.u64()));
    if (!in.at_end() || format != kFormat || rate <= 0 || now.wall - time > kKept) return false;
    rate_ = std::max(rate, kRateMin);
    known_ = std::max(known, rate_);
    pause_ = std::clamp<Duration>(Duration(pause), Duration(0), kPauseMax);
    filled_ = answered_at_ = now.instant;
    stay_until_ = now.instant + kStayMin;
    recorded(now.instant);
    return true;
}

}  // namespace posthorn
