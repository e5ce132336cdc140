// What the summary says at the end: counts of everything accepted and answered.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/sink/hash_set.h"
#include "tools/sink/names.h"
#include "tools/sink/profile.h"

namespace posthorn::sink {

class Tally {
  public:
    // One accepted recipient. Pairs of (message id, recipient) that come again are duplicates.
    void accepted(std::string_view recipient, std::string_view message_id);

    void message(std::uint64_t bytes);
    void session() { ++sessions_; }
    void flight() { ++flights_; }  // input that came when all before was answered
    void replied(Place place, std::uint16_t code);

    std::uint64_t sessions() const { return sessions_; }

    // The summary, with the traffic that names kept.
    std::string to_json(const Names& names) const;

  private:
    static constexpr std::size_t kCodes = 600;

    std::uint64_t accepted_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t sessions_ = 0;
    std::uint64_t flights_ = 0;
    HashSet recipients_;
    HashSet deliveries_;  // (message id, recipient)
    std::array<std::array<std::uint64_t, kCodes>, kPlaceCount> replies_{};
};

}  // namespace posthorn::sink
