// How fast a site takes mail from one source, found out from its answers. Nothing is held back
// until the site asks for less; then comes a pause that one try at a time ends, a rate below the
// one it had taken, an approach to that one, a long stay just under it, and tries of more that grow
// faster the longer they go well. A single answer changes nothing.
//
//   stored := u8(format) u64(rate) u64(known) u64(pause, us) u64(time, us)    rates per 10^6 s
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace posthorn {

class Pace {
  public:
    // How many recipients may be leased now; and when there may be more.
    std::uint64_t allowed(Instant now);
    Instant next(Instant now) const;
    void take(std::uint64_t count, Instant now);
    void give_back();  // one that was not attempted

    void answered(Instant now);         // and nothing about the pace was said
    bool asked_for_less(Instant now);   // of a recipient; true: the rate was cut
    bool cut(Instant now);              // many such answers; false: it has been, a moment ago
    void refused_session(Instant now);  // while no other works: it wants nothing at the moment

    void took(Duration latency);  // a message that was accepted
    bool slower_than_it_was() const { return latency_ > 4 * shortest_ && latency_ > kPatience; }

    double rate() const { return rate_; }  // a second; 0: as fast as may be
    bool paused(Instant now) const { return now < paused_until_; }
    bool probing(Instant now) const { return probing_ && !paused(now); }
    Instant paused_until() const { return paused_until_; }

    std::string stored(Now now) const;
    bool restore(std::string_view stored, Now now);

    // Whether what is stored is worth writing again.
    bool worth_recording(Instant now) const;
    void recorded(Instant now);

  private:
    static constexpr double kPatience = 1;  // seconds that any answer may take

    void pause(Instant now);
    void prolong_pause(Instant now);
    void count_from(Instant now);

    double rate_ = 0;
    double known_ = 0;  // what it took before it last asked for less
    double tokens_ = 0;
    Instant filled_, short_since_;  // when the tokens were counted, and last did not suffice

    // What was taken since it began to be counted, and over how long there was work.
    double count_ = 0, busy_ = 0;
    double earlier_count_ = 0, earlier_busy_ = 0;
    Instant answered_at_;

    int in_a_row_ = 0;           // answers and refusals that ask for less
    bool of_recipient_ = false;  // one of them was an answer
    bool probing_ = false;       // after a pause, until one try went well
    bool probe_out_ = false;
    Instant pause_began_, paused_until_, probe_until_;
    Duration pause_{0};  // how long the last one had to be
    bool trying_more_ = false;
    Instant stay_until_;

    double latency_ = 0, shortest_ = 1e9;  // smoothed, seconds
    int latencies_ = 0;
    double recorded_rate_ = 0;
    Instant recorded_at_;
};

}  // namespace posthorn
