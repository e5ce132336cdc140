// What a site has answered one source of late, exactly: the last 200 answers of the last ten
// minutes. One answer is about its recipient; several of a kind, and a share of all, are about the
// source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/time.h"

namespace posthorn {

// What an answer says about the source.
enum class Sign : std::uint8_t {
    kNone,  // nothing: accepted, or refused for the recipient's sake
    kSlow,  // it asks for less
    kStop   // it wants nothing from us
};

class Conduct {
  public:
    // True: with this one there are enough of its kind to act upon, 3 and 5 % of all.
    bool note(Sign sign, Instant now);

    bool worked(Instant now);  // among the answers is one that says nothing about the source
    std::size_t count(Sign sign) const { return counts_[static_cast<std::size_t>(sign)]; }
    std::size_t size() const { return size_; }
    void forget(Sign sign);  // what was acted upon does not count again

  private:
    static constexpr std::size_t kAnswersMax = 200;  // 8 octets each, once there are so many

    class Answer {
      public:
        Answer() = default;
        Answer(Instant at, std::uint32_t sign)
            : bits_(at.time_since_epoch().count() * 4 + std::int64_t{sign}) {}
        Instant at() const { return Instant(Duration(bits_ >> 2)); }
        std::uint32_t sign() const { return static_cast<std::uint32_t>(bits_ & 3); }

      private:
        std::int64_t bits_ = 0;
    };

    void expire(Instant now);
    void drop_oldest();

    std::vector<Answer> answers_;  // a ring, once it is full
    std::size_t oldest_ = 0, size_ = 0;
    std::array<std::uint32_t, 4> counts_{};  // by sign; the last: those acted upon
};

}  // namespace posthorn
