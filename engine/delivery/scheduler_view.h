// What the scheduler shows of itself, as plain values: for status, explain, and the lines of the
// log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/queue/model.h"

namespace posthorn {

// Something that a person should hear of: a campaign's change of state, a site in trouble.
struct Notice {
    enum class Kind : std::uint8_t {
        kCampaignFinished,
        kCampaignPaused,
        kCampaignResumed,
        kCampaignCancelled,
        kSiteTrouble,
        kDomainRejected,
        kReplyRefused
    };
    Kind kind = Kind::kSiteTrouble;
    CampaignNumber campaign = 0;
    std::string text;
};

struct SiteHoldView {
    std::string source;  // empty: all
    std::string reason;
    WallTime since;
    std::optional<WallTime> until;  // none: an operator ends it
};

struct SiteView {
    std::string name;
    std::uint32_t sessions = 0;
    std::uint32_t opening = 0;
    std::uint32_t in_flight = 0;
    std::uint64_t rows_waiting = 0;  // read ahead
    std::uint64_t accepted = 0, deferred = 0, refused = 0;
    double sessions_limit = 0;
    std::uint32_t messages_per_session = 0;
    std::string provider;   // whose limits hold, and which; empty: no rule knows the site
    std::string waits_for;  // in words; empty: nothing
    std::string rung;       // of the latest session; empty: there was none
    std::string last_failure;
    std::vector<SiteHoldView> holds;
    std::vector<std::pair<std::string, double>> paces;  // recipients a second, by source
    std::map<std::string, std::uint64_t> replies;
};

struct DomainView {
    std::string domain;
    std::string verdict;  // "found", "resolving", "no mail hosts: ...", "held: ..."
    SiteView site;
    std::vector<std::string> hosts;  // "10 mx1.example 192.0.2.1"
};

struct StatusView {
    std::uint32_t sessions = 0;
    std::uint32_t opening = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t rows_ahead = 0;
    std::uint64_t lanes_open = 0;
    std::uint64_t lanes_parked = 0;
    std::uint64_t sites = 0;
    std::vector<SiteView> busiest;  // by sessions, at most twenty
};

}  // namespace posthorn
