#include "tests/sim/limits_watch.h"

namespace posthorn::sim {

void LimitsWatch::throttle_is(CampaignNumber campaign, const Throttle& throttle) {
    throttles_[campaign] = throttle;
}

void LimitsWatch::granted(const Lease& lease) {
    const auto count_of = static_cast<std::uint32_t>(lease.recipients.size());
    leases_[lease.sequence] = {lease.lane, lease.slot, count_of, agenda_.now().instant};
    const Throttle& throttle = throttles_[lease.lane.campaign];
    const LaneId whole{lease.lane.campaign, {}};
    const auto per_domain = throttle.per_domain.find(lease.lane.domain);
    const ThrottleLimit none;
    const ThrottleLimit& own = per_domain != throttle.per_domain.end() ? per_domain->second : none;
    for (const auto& [lane, limit] : {std::pair(whole, throttle.all), std::pair(lease.lane, own)}) {
        const std::string what = "campaign " + std::to_string(lane.campaign) + " " + lane.domain;
        if (limit.rate) {
            Window& window = windows_[lane];
            if (window.rate.window != limit.rate->window) window.reserved.clear();
            window.rate = *limit.rate;
            count(window, lease, what);
        } else {
            windows_.erase(lane);
        }
        check_users(users_[lane], lease, limit.connections_max, what);
    }
}

void LimitsWatch::count(Window& window, const Lease& lease, const std::string& what) {
    const Instant now = agenda_.now().instant;
    while (!window.reserved.empty() && window.reserved.front().at + window.rate.window <= now)
        window.reserved.pop_front();
    window.reserved.push_back(
        {now, lease.sequence, static_cast<std::uint32_t>(lease.recipients.size())});
    std::uint64_t sum = 0;
    for (const Reserved& reserved : window.reserved) sum += reserved.count;
    if (sum > window.rate.count)
        books_.fail('e', what + ": " + std::to_string(sum) + " attempts in a window of " +
                             to_string(window.rate));
}

bool LimitsWatch::leaves_room(const LaneId& lane) {
    const Throttle& throttle = throttles_[lane.campaign];
    const auto per_domain = throttle.per_domain.find(lane.domain);
    const ThrottleLimit none;
    const ThrottleLimit& own = per_domain != throttle.per_domain.end() ? per_domain->second : none;
    for (const auto& [id, limit] :
         {std::pair(LaneId{lane.campaign, {}}, throttle.all), std::pair(lane, own)}) {
        if (limit.connections_max && users_[id].size() >= *limit.connections_max) return false;
        if (!limit.rate) continue;
        std::uint64_t sum = 0;
        for (const Reserved& reserved : windows_[id].reserved)
            if (reserved.at + limit.rate->window * 2 > agenda_.now().instant) sum += reserved.count;
        if (sum >= limit.rate->count) return false;
    }
    return true;
}

void LimitsWatch::check_users(Users& users, const Lease& lease, std::optional<std::uint32_t> most,
                              const std::string& what) {
    const bool more = !users.contains(lease.slot);
    users[lease.slot] += static_cast<std::uint32_t>(lease.recipients.size());
    if (most && more && users.size() > *most)
        books_.fail('e', what + ": served by " + std::to_string(users.size()) +
                             " sessions, and may use " + std::to_string(*most));
}

void LimitsWatch::forget(Window& window, std::uint64_t lease) {
    for (Reserved& reserved : window.reserved)
        if (reserved.lease == lease && reserved.count > 0) {
            --reserved.count;
            return;
        }
}

void LimitsWatch::ended(std::uint64_t lease, bool attempted) {
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return;
    Granted& granted = found->second;
    for (const LaneId& lane : {LaneId{granted.lane.campaign, {}}, granted.lane}) {
        Users& users = users_[lane];
        if (const auto use = users.find(granted.slot); use != users.end() && --use->second == 0)
            users.erase(use);
        const auto window = windows_.find(lane);
        if (!attempted && window != windows_.end()) forget(window->second, lease);
    }
    if (--granted.open == 0) leases_.erase(found);
}

void LimitsWatch::opening(const OpenSession& order) {
    sessions_[order.slot] = {order.site, order.source};
    if (sessions_.size() > knobs_.limits.connections_max)
        books_.fail('e', std::to_string(sessions_.size()) + " sessions in all");
    if (++by_site_[{order.site, order.source}] > knobs_.limits.site_connections_max)
        books_.fail('e', "too many sessions from " + order.source + " to " + order.site);
}

void LimitsWatch::closed(SlotId slot) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end()) return;
    --by_site_[found->second];
    sessions_.erase(found);
}

void LimitsWatch::message_on_session(std::uint32_t count) {
    if (count > knobs_.limits.messages_per_session_max)
        books_.fail('e', std::to_string(count) + " recipients were named on one session");
}

void LimitsWatch::process_ended() {
    windows_.clear();
    users_.clear();
    leases_.clear();
    sessions_.clear();
    by_site_.clear();
}

}  // namespace posthorn::sim
