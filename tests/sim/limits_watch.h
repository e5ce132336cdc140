// Checker e: no limit is exceeded in any window. Counts what the scheduler lets go, less what was
// never attempted, against rates, connections and messages per session.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "engine/delivery/messages.h"
#include "tests/sim/books.h"

namespace posthorn::sim {

class LimitsWatch {
  public:
    LimitsWatch(const Knobs& knobs, const Agenda& agenda, Books& books)
        : knobs_(knobs), agenda_(agenda), books_(books) {}

    void throttle_is(CampaignNumber campaign, const Throttle& throttle);
    void granted(const Lease& lease);
    void ended(std::uint64_t lease, bool attempted);  // one recipient of it
    void opening(const OpenSession& order);
    void closed(SlotId slot);
    void message_on_session(std::uint32_t count);  // so many recipients were named on one
    void process_ended();

    bool leaves_room(const LaneId& lane);  // for another recipient, now

    std::size_t sessions() const { return sessions_.size(); }

  private:
    struct Reserved {
        Instant at;
        std::uint64_t lease;
        std::uint32_t count;
    };
    struct Window {
        Rate rate{};
        std::deque<Reserved> reserved;
    };
    struct Granted {
        LaneId lane;
        SlotId slot;
        std::uint32_t open;
        Instant at;
    };
    using Users = std::map<SlotId, std::uint32_t>;

    void count(Window& window, const Lease& lease, const std::string& what);
    void check_users(Users& users, const Lease& lease, std::optional<std::uint32_t> most,
                     const std::string& what);
    static void forget(Window& window, std::uint64_t lease);

    const Knobs& knobs_;
    const Agenda& agenda_;
    Books& books_;
    std::map<CampaignNumber, Throttle> throttles_;
    std::map<LaneId, Window> windows_;  // a campaign's own under the empty domain
    std::map<LaneId, Users> users_;
    std::map<std::uint64_t, Granted> leases_;
    std::map<SlotId, std::pair<std::string, std::string>> sessions_;  // site, source
    std::map<std::pair<std::string, std::string>, std::uint32_t> by_site_;
};

}  // namespace posthorn::sim
