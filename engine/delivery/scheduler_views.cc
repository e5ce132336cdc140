// What the scheduler shows of itself: status and explain.
#include <algorithm>

#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr std::size_t kBusiestShown = 20;

void add_hold(SiteView& view, const std::string& source, const SiteHold* hold, Now now) {
    if (hold == nullptr) return;
    view.holds.push_back({source, hold->reason, hold->since, std::nullopt});
    if (!hold->braked) view.holds.back().until = now.wall + (hold->until - now.instant);
}

// When the first source may try, if all of them were asked for less a moment ago.
std::optional<Instant> pause_of_all(const Site& site, Now now) {
    Instant first = Instant::max();
    for (const SourceAtSite& source : site.sources) {
        if (!source.pace.paused(now.instant)) return std::nullopt;
        first = std::min(first, source.pace.paused_until());
    }
    return first;
}

SiteView view_of(const Site& site, const std::vector<Source>& sources, Now now) {
    SiteView view;
    view.name = site.name;
    view.sessions = static_cast<std::uint32_t>(site.slots.size());
    view.opening = site.opening;
    for (const auto& [id, slot] : site.slots) view.in_flight += slot->outstanding;
    for (const Lane* lane : site.ready) view.rows_waiting += lane->rows();
    view.accepted = site.accepted;
    view.deferred = site.deferred;
    view.refused = site.refused;
    for (const SourceAtSite& source : site.sources)
        view.sessions_limit = std::max(view.sessions_limit, source.sessions_limit);
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (const double rate = site.sources[i].pace.rate(); rate > 0)
            view.paces.emplace_back(sources[i].name, rate);
    add_hold(view, {}, site.braked, now);
    for (std::size_t i = 0; i < sources.size(); ++i)
        add_hold(view, sources[i].name, site.sources[i].hold, now);
    view.messages_per_session = site.messages_max;
    if (site.share) view.provider = words_for(*site.share);
    if (site.rung) view.rung = name_of(*site.rung);
    view.last_failure = site.last_failure;
    view.replies = site.replies;
    if (site.braked != nullptr) {
        view.waits_for = "an operator: posthorn release";
    } else if (const auto until = site.held_until(now.instant)) {
        view.waits_for = "a try in " + in_seconds(*until - now.instant);
    } else if (site.retry_at > now.instant) {
        view.waits_for = "a try in " + in_seconds(site.retry_at - now.instant);
    } else if (const auto end = pause_of_all(site, now)) {
        view.waits_for = "a try in " + in_seconds(*end - now.instant) + ", it asked for less";
    } else if (site.wake_at) {
        view.waits_for = "its rate limit";
    } else if (site.waits_for_room) {
        view.waits_for = "room for connections or recipients in flight";
    }
    return view;
}

std::string verdict_of(const DomainState& domain) {
    if (domain.held) return "held: " + *domain.held;
    if (domain.rejected) return "no mail is accepted: " + domain.text;
    if (domain.suspect_since) return "no mail hosts, to be confirmed: " + domain.text;
    if (domain.site != nullptr) return "found";
    if (domain.resolving) return "resolving";
    return domain.text.empty() ? "not asked yet" : "no answer: " + domain.text;
}

}  // namespace

std::vector<CampaignNumber> Scheduler::campaigns() const {
    std::vector<CampaignNumber> numbers;
    for (const auto& [number, run] : campaigns_) numbers.push_back(number);
    return numbers;
}

StatusView Scheduler::status(Now now) const {
    StatusView view;
    view.sessions = static_cast<std::uint32_t>(slots_.size());
    view.in_flight = in_flight_;
    view.rows_ahead = rows_ahead_;
    view.lanes_open = lanes_.size();
    view.lanes_parked = parked_.size();
    view.sites = sites_.size();
    std::vector<const Site*> busiest;
    for (const auto& [name, site] : sites_) {
        view.opening += site->opening;
        busiest.push_back(site.get());
    }
    const std::size_t shown = std::min(kBusiestShown, busiest.size());
    std::partial_sort(busiest.begin(), busiest.begin() + static_cast<std::ptrdiff_t>(shown),
                      busiest.end(), [](const Site* a, const Site* b) {
                          return std::pair(a->slots.size(), a->accepted) >
                                 std::pair(b->slots.size(), b->accepted);
                      });
    for (std::size_t i = 0; i < shown; ++i)
        view.busiest.push_back(view_of(*busiest[i], sources_, now));
    return view;
}

std::optional<DomainView> Scheduler::explain(const std::string& domain, Now now) const {
    const auto found = domains_.find(domain);
    if (found == domains_.end()) return std::nullopt;
    const DomainState& state = *found->second;
    DomainView view{domain, verdict_of(state), {}, {}};
    if (state.site == nullptr) return view;
    view.site = view_of(*state.site, sources_, now);
    for (const SiteHost& host : state.site->hosts) {
        std::string line = std::to_string(host.host.preference) + " " + host.host.name;
        for (const IpAddress& address : host.host.addresses) line += " " + address.to_string();
        view.hosts.push_back(std::move(line));
    }
    return view;
}

}  // namespace posthorn
