#include "engine/delivery/brake.h"

#include <algorithm>

namespace posthorn {

namespace {

constexpr std::uint64_t kAboveNormMin = 25;     // suppressions: five times nearly nothing is little
constexpr std::uint64_t kNormAnswersMin = 500;  // before the window, for there to be a norm
constexpr double kShareMax = 0.30;
constexpr double kNormTimesMax = 5;
constexpr double kSeenTimesMax = 1.5;

}  // namespace

void Brake::note(bool suppresses) {
    const std::size_t place = noted_ % kAnswers;
    if (noted_ >= kAnswers && answers_[place]) {
        --in_window_;
        ++before_window_;
    }
    answers_[place] = suppresses;
    in_window_ += suppresses ? 1 : 0;
    ++noted_;
    while (!kept_.empty() && kept_.front().number + kAnswers <= noted_) kept_.pop_front();
}

bool Brake::suppressed(std::string_view domain, std::string_view folded_local) {
    note(true);
    kept_.push_back({noted_, {std::string(domain), std::string(folded_local)}});
    return out_of_proportion();
}

bool Brake::out_of_proportion() const {
    if (noted_ < kAnswers) return false;  // a small domain may well be all unknown
    const double share = static_cast<double>(in_window_) / static_cast<double>(kAnswers);
    if (share <= share_seen_ * kSeenTimesMax) return false;
    if (share > kShareMax) return true;
    const std::uint64_t before = noted_ - kAnswers;
    if (before < kNormAnswersMin || in_window_ < kAboveNormMin) return false;
    const double norm = static_cast<double>(before_window_) / static_cast<double>(before);
    return share > kNormTimesMax * norm;
}

std::string Brake::words() const {
    return std::to_string(in_window_) + " of the last " +
           std::to_string(std::min<std::uint64_t>(noted_, kAnswers)) + " recipients";
}

std::vector<SuppressedAddress> Brake::take_addresses() {
    std::vector<SuppressedAddress> addresses;
    for (Kept& kept : kept_) addresses.push_back(std::move(kept.address));
    kept_.clear();
    return addresses;
}

void Brake::released() {
    const std::uint64_t answers =
        std::max<std::uint64_t>(1, std::min<std::uint64_t>(noted_, kAnswers));
    share_seen_ =
        std::max(share_seen_, static_cast<double>(in_window_) / static_cast<double>(answers));
}

}  // namespace posthorn
