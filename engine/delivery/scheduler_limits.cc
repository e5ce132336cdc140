// What the rates of campaigns and the limits of mailbox providers allow at a moment.
#include <algorithm>

#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr std::uint64_t kUnlimited = UINT64_MAX;

}  // namespace

// How many recipients every rate that applies to the lane lets start now. Zero: `wake` is when to
// ask again.
std::uint64_t Scheduler::allowance(Lane& lane, Now now, Instant& wake) {
    std::uint64_t allowed = kUnlimited;
    auto& of_campaign = lane.campaign->rate;
    for (RateWindow* rate : {lane.rate, of_campaign ? &*of_campaign : nullptr}) {
        if (rate == nullptr) continue;
        const std::uint64_t available = rate->available(now.instant);
        if (available == 0) wake = std::min(wake, rate->next_available(now.instant));
        allowed = std::min(allowed, available);
    }
    return allowed;
}

// The first rule that knows the site's hosts or the domain is the site's, as long as it lives.
void Scheduler::take_share(Site& site, const std::string& domain) {
    if (site.share || providers_.shaping().rules.empty()) return;
    std::vector<std::string> hosts;
    for (const SiteHost& host : site.hosts) hosts.push_back(host.host.name);
    const ProviderRule* rule = providers_.shaping().find(hosts, domain);
    if (rule == nullptr) return;
    site.share = share_of(*rule, site.name);
    for (SourceAtSite& source : site.sources)
        source.sessions_limit = std::min(source.sessions_limit, sessions_ceiling(site));
    if (rule->messages_per_session) site.messages_max = *rule->messages_per_session;
}

double Scheduler::sessions_ceiling(const Site& site) const {
    return site.share && site.share->rule->connections_max ? *site.share->rule->connections_max
                                                           : limits_.site_connections_max;
}

// How many recipients the provider's rates and the site's pace let start now on the session. Zero:
// `wake` is when to ask again.
std::uint64_t Scheduler::source_allows(Site& site, const Slot& slot, Now now, Instant& wake) {
    Pace& pace = site.sources[slot.source].pace;
    const std::uint64_t paced = pace.allowed(now.instant);
    if (paced == 0) wake = std::min(wake, pace.next(now.instant));
    if (paced == 0 || !slot.share) return paced;
    const std::string& source = sources_[slot.source].name;
    const std::uint64_t allowed = providers_.messages_allowed(*slot.share, source, now.instant);
    if (allowed == 0)
        wake = std::min(wake, providers_.next_message(*slot.share, source, now.instant));
    return std::min(allowed, paced);
}

bool Scheduler::source_may_open(Site& site, std::uint32_t source, Now now) {
    if (!site.share) return true;
    const std::string& name = sources_[source].name;
    if (!providers_.has_room(*site.share, name)) {
        wait_for_room(site);
        return false;
    }
    const Instant next = providers_.next_connection(*site.share, name, now.instant);
    if (next > now.instant) wake_site_at(site, next);
    return next <= now.instant;
}

void Scheduler::count_opened(Slot& slot, Now now) {
    slot.share = slot.site->share;
    if (!slot.share) return;
    providers_.connection_opened(*slot.share, sources_[slot.source].name, now.instant);
    record_provider_usage(now);
}

void Scheduler::count_granted(const Slot& slot, std::uint32_t recipients, Now now) {
    providers_.take_messages(*slot.share, sources_[slot.source].name, recipients, now.instant);
    record_provider_usage(now);
}

void Scheduler::count_returned(const LeaseState& state, Now now) {
    if (state.share)
        providers_.give_back_message(*state.share, sources_[state.source].name, state.granted,
                                     now.instant);
}

// Before the lease that it counts, so that no crash can lose the one and keep the other.
void Scheduler::record_provider_usage(Now now) {
    for (PutState& put : providers_.take_changes(now)) {
        output_.journal.push_back(std::move(put));
        ++journal_entries_;
    }
}

void Scheduler::wake_site_at(Site& site, Instant at) {
    if (site.wake_at && *site.wake_at <= at) return;
    site.wake_at = at;
    site_wakes_.emplace(at, site.name);
}

}  // namespace posthorn
