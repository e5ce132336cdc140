// A mail host of the simulated world: what it says at each stage, by its moods while there is
// chaos, and by what is true of an address always. Keeps what a receiver remembers between
// connections; the connection carries out what it decides.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/base/random.h"
#include "engine/smtp/server_session.h"
#include "tests/sim/agenda.h"
#include "tests/sim/books.h"
#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"

namespace posthorn::sim {

struct Decision {
    enum class Then : std::uint8_t { kGoOn, kClose, kReset, kDrop, kSilence };
    std::optional<Reply> reply;  // none: the usual positive one
    Then then = Then::kGoOn;     // kDrop: close without the reply, but with what it would mean
    Duration wait{0};
    std::string before;  // bytes said first, that are no part of any answer
};

// What a receiver knows of the connection it answers on.
struct Visit {
    std::uint32_t greetings = 0;  // EHLO and HELO
    std::uint32_t named = 0;      // recipients
    std::uint32_t messages = 0;   // ends of data answered
    Truth* truth = nullptr;       // of the recipient being dealt with
};

class Receiver {
  public:
    Receiver(const HostKnobs& knobs, const Agenda& agenda, Random& random, Coverage& coverage);

    const HostKnobs& knobs() const { return knobs_; }
    const std::shared_ptr<const ServerOptions>& options() const { return options_; }
    void calm_down() { calm_ = true; }  // the end of chaos

    enum class Door : std::uint8_t { kOpen, kRefused, kHangs };
    Door door();
    void connected() { ++sessions_; }
    void disconnected() { --sessions_; }

    Decision decide(Stage stage, const Visit& visit);
    TlsMood handshake();  // how this one goes, once STARTTLS was accepted
    bool resets_now();    // asked for each piece of a message
    bool forgets_pipelined() const { return acts(Mood::kLiesAboutPipelining); }

  private:
    bool acts(Mood mood) const { return !calm_ && knobs_.has(mood); }
    bool strikes(Mood mood);  // this time
    bool refused_by_mood(Stage stage, const Visit& visit, Decision& decision);
    bool refused_at_greeting(Stage stage, const Visit& visit, Decision& decision);
    bool refused_by_nature(Stage stage, const Visit& visit, Decision& decision) const;
    bool pushed();
    void disturb(Stage stage, Decision& decision);

    const HostKnobs& knobs_;
    const Agenda& agenda_;
    Random& random_;
    Coverage& coverage_;
    std::shared_ptr<const ServerOptions> options_;
    bool calm_ = false;
    std::uint32_t sessions_ = 0;
    std::unordered_map<const Truth*, Instant> greylist_;
    std::deque<Instant> recent_;  // recipients, for kSlowsWhenPushed
    Instant penalty_until_;
};

}  // namespace posthorn::sim
