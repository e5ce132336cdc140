// Sites: opening and closing sessions, granting leases within every limit, health.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

// Backlog beyond which another session pays for its handshake, which costs some four messages' work.
constexpr std::size_t kRowsPerSession = 8;

// Rows ready at the site, counted no further than enough.
std::size_t rows_waiting(const Site& site, std::size_t enough) {
    std::size_t rows = 0;
    for (const Lane* lane : site.ready) {
        rows += lane->rows();
        if (rows >= enough) break;
    }
    return rows;
}

// A peer may take so many recipient domains on one session (RFC 9422).
bool takes_domain(const Slot& slot, const std::string& domain) {
    if (!slot.domains_max || slot.domains.size() < *slot.domains_max) return true;
    return std::find(slot.domains.begin(), slot.domains.end(), domain) != slot.domains.end();
}

void note_domain(Slot& slot, const std::string& domain) {
    if (!slot.domains_max) return;
    if (std::find(slot.domains.begin(), slot.domains.end(), domain) == slot.domains.end())
        slot.domains.push_back(domain);
}

}  // namespace

void Scheduler::touch(Site& site) {
    if (site.dirty) return;
    site.dirty = true;
    dirty_sites_.push_back(&site);
}

// Grants what the site's lanes, sessions and limits allow now, lane by lane in turn.
void Scheduler::pump(Site& site, Now now) {
    if (stopping_ || !suspended_.empty()) return;
    Instant wake = Instant::max();
    std::size_t passed_over = 0;  // lanes in a row that may not be sent at this moment
    while (passed_over < site.ready.size()) {
        if (in_flight_ >= limits_.in_flight_max) {
            wait_for_room(site);
            break;
        }
        Lane& lane = *site.ready.front();
        site.ready.pop_front();
        lane.ready = false;
        if (!lane.campaign->granting() || !lane.sendable()) {
            lanes_to_tend_.push_back(lane.id);
            continue;
        }
        const std::uint64_t allowed = allowance(lane, now, wake);
        SlotChoice choice{nullptr, true};
        if (allowed > 0) choice = choose_slot(site, lane, now, wake);
        Slot* slot = choice.slot;
        if (slot != nullptr) {
            passed_over = 0;
            const std::size_t share = rows_waiting(site, limits_.in_flight_max) + lane.rows();
            const std::size_t fair = share / std::max<std::size_t>(1, site.slots.size()) + 1;
            const std::uint64_t count = std::min<std::uint64_t>(
                {allowed, fair, lease_size(site, *slot, lane, now), messages_left(site, *slot),
                 source_allows(site, *slot, now, wake)});
            grant(lane, *slot, static_cast<std::size_t>(count), now);
            if (!lane.sendable()) continue;
        } else {
            ++passed_over;
        }
        lane.ready = true;
        site.ready.push_back(&lane);
        if (slot == nullptr && !choice.room) break;
    }
    open_sessions(site, now);
    if (site.ready.empty()) return;
    if (site.slots.empty() && site.retry_at > now.instant) wake = std::min(wake, site.retry_at);
    for (const SourceAtSite& source : site.sources) {
        if (source.hold != nullptr && source.hold->in_force(now.instant))
            wake = std::min(wake, source.hold->until);
        else if (source.pace.paused(now.instant))
            wake = std::min(wake, source.pace.paused_until());
    }
    if (wake != Instant::max()) wake_site_at(site, wake);
}

// What is leased is what a crash makes uncertain: no more than the site's pace needs.
std::uint32_t Scheduler::lease_size(const Site& site, const Slot& slot, const Lane& lane,
                                    Now now) const {
    if (site.sources[slot.source].tried_by_one(now.instant)) return 1;
    const std::uint32_t largest = lane.campaign->plan.retry.hold_uncertain
                                      ? limits_.hold_lease_recipients_max
                                      : limits_.lease_recipients_max;
    return std::min(site.lease_size, largest);
}

// The session with the least to do that may take recipients of this lane; nullptr if none may.
// Room: there is one that could serve another lane.
Scheduler::SlotChoice Scheduler::choose_slot(Site& site, const Lane& lane, Now now, Instant& wake) {
    const auto& limit = lane.campaign->plan.throttle.all.connections_max;
    SlotChoice choice;
    Slot*& best = choice.slot;
    for (auto& [id, slot] : site.slots) {
        if (slot->state != Slot::State::kReady || messages_left(site, *slot) == 0) continue;
        if (slot->outstanding > lease_size(site, *slot, lane, now) / 2) continue;
        if (!takes_domain(*slot, lane.id.domain)) continue;
        if (source_allows(site, *slot, now, wake) == 0) continue;
        choice.room = true;
        if (lane.connections_max && lane.slots.size() >= *lane.connections_max &&
            !lane.slots.contains(id))
            continue;
        if (limit && lane.campaign->slots.size() >= *limit && !lane.campaign->slots.contains(id)) {
            wait_for_room(site);
            continue;
        }
        if (best == nullptr || slot->outstanding < best->outstanding) best = slot;
    }
    return choice;
}

// What the session may still be leased: by what the site takes, and by what its peer has said.
std::uint32_t Scheduler::messages_left(const Site& site, const Slot& slot) const {
    const std::uint32_t most = std::min(site.messages_max, slot.messages_max);
    return most - std::min(slot.granted, most);
}

void Scheduler::grant(Lane& lane, Slot& slot, std::size_t count, Now now) {
    std::vector<Recipient> recipients;
    for (Recipient& recipient : lane.take(count)) {
        --rows_ahead_;
        if (!settle_without_attempt(lane, recipient, now))
            recipients.push_back(std::move(recipient));
    }
    if (lane.fresh.size() <= limits_.rows_per_read / 2) lanes_to_tend_.push_back(lane.id);
    if (recipients.empty()) return;

    CampaignRun& run = *lane.campaign;
    const auto taken = static_cast<std::uint32_t>(recipients.size());
    const auto& share = slot.share;
    const bool shaped = share && !share->rule->message_rates.empty();
    Pace& pace = slot.site->sources[slot.source].pace;
    const bool limited = shaped || pace.rate() > 0 || lane.rate != nullptr || run.rate.has_value();
    auto lease = std::make_shared<Lease>();
    lease->sequence = next_lease_++;
    lease->slot = slot.id;
    lease->lane = lane.id;
    lease->source = sources_[slot.source].name;
    lease->time = now.wall;
    lease->valid_until = now.instant + 2 * journal_lag_ +
                         (limited ? limits_.limited_lease_validity : limits_.lease_validity);
    lease->alone = run.plan.retry.hold_uncertain;
    lease->renderer = run.plan.renderer;
    lease->recipients = std::move(recipients);
    lane.fresh_leased(lease->sequence, lease->recipients);

    if (lane.rate) lane.rate->take(taken, now.instant);
    if (run.rate) run.rate->take(taken, now.instant);
    pace.take(taken, now.instant);
    lane.in_flight += taken;
    run.in_flight += taken;
    in_flight_ += taken;
    lane.slots[slot.id] += taken;
    if (run.plan.throttle.all.connections_max) run.slots[slot.id] += taken;
    note_domain(slot, lane.id.domain);
    slot.outstanding += taken;
    slot.granted += taken;
    if (shaped) count_granted(slot, taken, now);
    leases_.emplace(lease->sequence, LeaseState{lease, &lane, taken, taken, now.instant,
                                                shaped ? share : std::nullopt, slot.source});
    output_.journal.push_back(GrantLease{std::move(lease), slot.sender});
    ++journal_entries_;
}

void Scheduler::open_sessions(Site& site, Now now) {
    if (site.ready.empty() || stopping_ || now.instant < site.retry_at) return;
    if (site.braked != nullptr) return;
    std::size_t limit = 0;
    for (const SourceAtSite& source : site.sources) limit += source.sessions_allowed(now.instant);
    const std::size_t rows = rows_waiting(site, limit * kRowsPerSession);
    // Those that are being opened are for what waits now.
    const std::size_t busy = site.slots.size() - site.opening;
    std::size_t useful =
        std::clamp<std::size_t>(busy + rows / kRowsPerSession, 1, std::max<std::size_t>(1, limit));
    std::optional<std::uint32_t> lanes_limit = 0;
    for (const Lane* lane : site.ready) {
        if (!lane->connections_max) {
            lanes_limit.reset();
            break;
        }
        *lanes_limit += *lane->connections_max;
    }
    if (lanes_limit) useful = std::min<std::size_t>(useful, *lanes_limit);
    if (site.failures > 0) useful = std::min<std::size_t>(useful, 1);  // a probe
    while (site.slots.size() < useful) {
        if (slots_.size() >= limits_.connections_max) {
            wait_for_room(site);
            return;
        }
        if (!open_session(site, now)) return;
    }
}

void Scheduler::close_slot(Slot& slot) {
    if (slot.state == Slot::State::kClosing) return;
    if (slot.state == Slot::State::kOpening) --slot.site->opening;
    slot.state = Slot::State::kClosing;
    output_.senders.emplace_back(slot.sender, CloseSession{slot.id});
}

void Scheduler::forget_slot(Slot& slot) {
    Site& site = *slot.site;
    if (slot.state == Slot::State::kOpening) --site.opening;
    --sessions_by_sender_[slot.sender];
    --site.sources[slot.source].sessions;
    if (slot.share) providers_.connection_closed(*slot.share, sources_[slot.source].name);
    site.slots.erase(slot.id);
    slots_.erase(slot.id);
    room_was_made();
}

void Scheduler::wait_for_room(Site& site) {
    if (site.waits_for_room) return;
    site.waits_for_room = true;
    sites_waiting_for_room_.push_back(site.name);
}

// A session ended or recipients were recorded: those that waited for it may go on.
void Scheduler::room_was_made() {
    std::size_t chances = 64;  // at a time, so that one event stays cheap
    while (!sites_waiting_for_room_.empty() && chances-- > 0 &&
           in_flight_ < limits_.in_flight_max && slots_.size() < limits_.connections_max) {
        const auto site = sites_.find(sites_waiting_for_room_.front());
        sites_waiting_for_room_.pop_front();
        if (site == sites_.end()) continue;
        site->second->waits_for_room = false;
        touch(*site->second);
    }
    if (unrecorded_ < limits_.sweep_in_flight_max)
        for (LaneId& id : std::exchange(lanes_waiting_to_sweep_, {}))
            lanes_to_tend_.push_back(std::move(id));
}

void Scheduler::forget_site_if_unused(Site& site, Now now) {
    if (site.domains > 0 || !site.slots.empty() || !site.ready.empty()) return;
    remember_paces(site, now);
    sites_.erase(std::string(site.name));
}

}  // namespace posthorn
