// A site: domains that share a set of MX hosts, and what is known of it: sessions, health, queue of
// lanes. Data with a few derived values; decided upon by the scheduler, which owns it.
// Long because all that is known of a site is read best in one place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/delivery/brake.h"
#include "engine/delivery/conduct.h"
#include "engine/delivery/limits.h"
#include "engine/delivery/messages.h"
#include "engine/delivery/pace.h"
#include "engine/delivery/shaping.h"
#include "engine/delivery/site_holds.h"

namespace posthorn {

struct Lane;

struct Slot {
    enum class State : std::uint8_t { kOpening, kReady, kClosing };
    SlotId id = 0;
    Site* site = nullptr;
    std::uint32_t source = 0;  // index of the source
    std::uint32_t sender = 0;  // index of the sender
    std::size_t host = 0;      // index into the site's hosts at the time
    std::string host_name;
    State state = State::kOpening;
    std::uint32_t outstanding = 0;  // recipients leased to it and not yet reported
    std::uint32_t granted = 0;      // recipients leased to it in all, less those that came back
    Instant idle_since;
    std::optional<ProviderShare> share;  // whose connections it is counted among
    bool proved = false;                 // a transaction on it was answered
    bool complained = false;             // a recipient's reply on it spoke of the source
    Rung rung_max = Rung::kChunkingAhead;
    TlsMode tls = TlsMode::kOff;                    // what it asked for
    std::string domain;                             // whose mail it was opened for
    TlsPolicyType tls_type = TlsPolicyType::kNone;  // and what that is bound to
    std::uint32_t messages_max = UINT32_MAX;        // by its peer's LIMITS (RFC 9422)
    std::optional<std::uint64_t> domains_max;       // the same
    std::vector<std::string> domains;               // leased to it; kept only under domains_max
};

struct SiteHost {
    MailHost host;
    std::uint32_t failures = 0;  // sessions failed in a row
    Instant dead_until;
    std::uint32_t next_address = 0;
};

// What is known of one source at a site.
struct SourceAtSite {
    std::uint32_t sessions = 0;
    double sessions_limit = 0;  // grows with accepted messages, falls with refusals
    Instant slowed_at;          // when it was last cut
    Instant crowded_until;      // one session more was one too many: it does not grow until then
    Pace pace;
    Conduct conduct;
    const SiteHold* hold = nullptr;  // in force, or to be tried by one session

    bool probing(Instant now) const { return hold != nullptr && !hold->in_force(now); }
    bool tried_by_one(Instant now) const { return probing(now) || pace.probing(now); }
    std::uint32_t sessions_allowed(Instant now) const {
        if (hold != nullptr) return hold->in_force(now) ? 0 : 1;
        if (pace.paused(now)) return 0;
        if (pace.probing(now) || sessions_limit < 1) return 1;
        return static_cast<std::uint32_t>(sessions_limit);
    }
};

struct Site {
    std::string name;    // the sorted host names, joined by commas, and what must be proved of them
    std::string domain;  // the first that was seen of it
    std::vector<SiteHost> hosts;  // by preference
    std::deque<Lane*> ready;      // lanes with rows to send
    std::map<SlotId, Slot*> slots;
    std::vector<SourceAtSite> sources;  // by index of the source
    const SiteHold* braked = nullptr;   // every source waits for an operator
    Brake brake;
    std::uint32_t opening = 0;

    std::optional<ProviderShare> share;     // the provider's limits, where a rule knows it
    std::uint32_t domains = 0;              // DomainStates that point here
    std::uint32_t failures = 0;             // times that all hosts failed in a row
    std::optional<WallTime> blocked_since;  // no session could be opened since then
    Instant retry_at;                       // no new session before
    std::uint32_t messages_max = 0;  // per session: learnt from the peer's closing, or the default
    std::uint32_t lease_size = 0;
    std::optional<Rung> rung;     // of its latest session
    bool sts = false;             // its domains' policies demand that hosts prove their names
    bool dirty = false;           // stands in the scheduler's list of sites to look at
    bool waits_for_room = false;  // stands in the queue for connections or in-flight room
    std::optional<Instant> wake_at;

    std::string last_failure;                      // in words, for status and explain
    std::map<std::string, std::uint64_t> replies;  // refusals by code and category, for explain

    std::uint64_t accepted = 0, deferred = 0, refused = 0;

    // Whether no source may send to it: until then, Instant::max() for an operator's word.
    std::optional<Instant> held_until(Instant now) const {
        if (braked != nullptr) return Instant::max();
        Instant earliest = Instant::max();
        for (const SourceAtSite& source : sources) {
            if (source.hold == nullptr || !source.hold->in_force(now)) return std::nullopt;
            earliest = std::min(earliest, source.hold->until);
        }
        return earliest;
    }
    // Since when no source could, tries in between included.
    std::optional<WallTime> held_since() const {
        if (braked != nullptr) return braked->since;
        std::optional<WallTime> latest;
        for (const SourceAtSite& source : sources) {
            if (source.hold == nullptr) return std::nullopt;
            latest = latest ? std::max(*latest, source.hold->since) : source.hold->since;
        }
        return latest;
    }
    const SiteHold* some_hold() const {
        if (braked != nullptr) return braked;
        for (const SourceAtSite& source : sources)
            if (source.hold != nullptr) return source.hold;
        return nullptr;
    }
};

// What is known of a domain's mail hosts. Kept while a lane needs it.
struct DomainState {
    std::string name;
    Site* site = nullptr;
    std::vector<Lane*> lanes;  // open lanes, one per campaign
    TlsPolicyType tls_type = TlsPolicyType::kNone;
    bool resolving = false;
    Instant expires;   // of the answer
    Instant retry_at;  // no new question before
    std::uint32_t failures = 0;
    std::optional<WallTime> suspect_since;  // first answer that there is no mail here
    std::optional<WallTime> blocked_since;  // no usable answer since then
    bool rejected = false;                  // confirmed: no mail is accepted for this domain
    std::optional<std::string> held;        // by an operator, with the reason
    Category category = Category::kNone;    // of the failure
    std::string text;
};

}  // namespace posthorn
