// Watches the share of recipients whose addresses a site says do not exist. Beyond all proportion
// it is the site that errs, as in an outage that answered "no such user" to everybody. Remembers
// the addresses that were suppressed meanwhile.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

struct SuppressedAddress {
    std::string domain, folded_local;
};

class Brake {
  public:
    void other_answer() { note(false); }  // accepted, or refused for another reason

    // True: the share is beyond 30 % of the last 500 answers, or five times what it was before
    // them.
    bool suppressed(std::string_view domain, std::string_view folded_local);

    // "41 of the last 60 recipients"
    std::string words() const;

    std::vector<SuppressedAddress> take_addresses();  // suppressed among the last 500

    // An operator has seen the share, and goes on: only a much larger one is out of proportion.
    void released();

  private:
    static constexpr std::size_t kAnswers = 500;

    struct Kept {
        std::uint64_t number;
        SuppressedAddress address;
    };

    void note(bool suppresses);
    bool out_of_proportion() const;

    std::bitset<kAnswers> answers_;
    std::uint64_t noted_ = 0;
    std::uint64_t in_window_ = 0, before_window_ = 0;  // suppressions
    double share_seen_ = 0;                            // by an operator
    std::deque<Kept> kept_;
};

}  // namespace posthorn
