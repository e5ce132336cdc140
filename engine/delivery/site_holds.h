// Sources that send nothing to a site for a time, with the reason. By the site's own replies a
// source is held until an hour, then tried by one session; by the brake every source is, until an
// operator has looked. Kept across restarts and longer than sites are in memory.
//
//   state/site-hold/SITE 0 SOURCE := u8(format) u8(braked) u64(since) u64(until, us; 0: for ever)
//                                    varint(times) string(domain) string(reason)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/time.h"
#include "engine/delivery/messages.h"
#include "engine/queue/store.h"

namespace posthorn {

inline constexpr std::string_view kSiteHoldKind = "site-hold";

struct SiteHold {
    bool braked = false;      // its suppressions left all proportion
    WallTime since;           // tries in between do not end it
    Instant until;            // then one session tries; Instant::max(): when an operator says so
    std::uint32_t times = 0;  // that it was set, the tries that failed included
    std::string domain;       // one of the site: operators name the hold by it
    std::string reason;

    bool in_force(Instant now) const { return now < until; }
};

// A hold as it is stored: what it is, without the clock of a process.
struct StoredSiteHold {
    std::string site, source;  // source empty: all
    bool braked = false;
    WallTime since;
    std::optional<WallTime> until;
    std::uint32_t times = 0;
    std::string domain, reason;
};
std::optional<StoredSiteHold> decode_site_hold(std::string_view key, std::string_view value);

// All that a store has, for commands.
Status for_each_site_hold(const Store& store,
                          const std::function<void(const StoredSiteHold&)>& visit);

class SiteHolds {
  public:
    using Key = std::pair<std::string, std::string>;  // site, source; no source: all of them

    // At start, from the store. longest: no hold lasts longer, whatever the clock was. False: it
    // is no hold.
    bool restore(std::string_view key, std::string_view stored, Duration longest, Now now);

    // nullptr: there is none. Valid until it is released.
    const SiteHold* find(const std::string& site, const std::string& source) const;
    bool any(const std::string& site) const;
    const std::map<Key, SiteHold>& all() const { return holds_; }
    bool full() const;

    PutState put(const std::string& site, const std::string& source, SiteHold hold, Now now);
    PutState release(const std::string& site, const std::string& source);

  private:
    std::map<Key, SiteHold> holds_;
};

}  // namespace posthorn
