// What the simulated internet answers: every decision of a profile, as a value. Time comes in as an
// argument, chance from the seed. Knows nothing of sockets and sessions.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "tools/sink/names.h"
#include "tools/sink/profile.h"

namespace posthorn::sink {

// (sender, recipient) pairs that greylisting remembers; later ones are let in.
inline constexpr std::size_t kGreylistMax = 4'000'000;
// Domains that one connection is counted at.
inline constexpr std::size_t kDomainsPerTalkMax = 256;

struct Decision {
    const Reply* reply = nullptr;  // null: the usual positive one
    bool has_holes = false;
    bool close = false;  // after the reply
    const Fault* fault = nullptr;
    Duration delay{0};

    bool positive() const { return !reply || reply->positive(); }
};

// What a connection has come to so far; the policy's own, kept by the connection.
struct Talk {
    Host* host = nullptr;
    Domain* domain = nullptr;  // of the last recipient asked for
    std::vector<Domain*> domains;
    std::uint64_t sender_hash = 0;
    std::uint32_t messages = 0;  // accepted
    bool counted = false;        // in the connections of its group
};

class Policy {
  public:
    // Profile and names outlive it.
    Policy(Names& names, std::uint64_t seed, Instant start);

    // Opened and closed once each, around everything else about a talk.
    void opened(Talk& talk, Host& host);
    void closed(Talk& talk);

    // argument: the address at kMail and kRcpt. Not for kBody.
    Decision asked(Talk& talk, Place place, std::string_view argument, Instant now);

    // Once per message, when its first octets are there; null for none.
    const Fault* body_begun(const Talk& talk);

    void message_accepted(Talk& talk) { ++talk.messages; }
    void recipient_accepted(Talk& talk, std::string_view recipient);

  private:
    struct Rules;

    Rules rules_of(const Entry& entry, Instant now) const;
    const Entry& entry_of(const Talk& talk, Place place) const;
    bool over_limit(Talk& talk, Place place, const Rules& rules, Instant now);
    bool take_token(Group& group, const Limits& limits, Instant now);
    void note_recipient(Talk& talk, std::string_view address, Instant now);
    bool greylisted(const Talk& talk, std::string_view recipient, Duration wait, Instant now);
    const ReplyRule* draw_reply(const std::vector<ReplyRule>& replies, Place place,
                                std::string_view argument);
    const Fault* draw_fault(const Entry& entry, Place place);
    Duration draw_delay(const LatencyRange& latency);

    Names& names_;
    std::uint64_t seed_;
    Instant start_;
    Random random_;
    std::string lower_;
    std::unordered_map<std::uint64_t, Instant> first_seen_;
};

}  // namespace posthorn::sink
