// Sites: opening and closing sessions, granting leases within every limit, health.
#include <algorithm>
#include <cmath>

#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr Duration kIdleCheckEvery = std::chrono::milliseconds(500);
constexpr Duration kSlowAgainAfter = std::chrono::seconds(10);  // one cut for one burst of refusals
constexpr std::uint64_t kUnlimited = UINT64_MAX;

// Backlog beyond which another session pays for its handshake.
constexpr std::size_t kRowsPerSession = 4;

std::uint32_t sessions_allowed(const Site& site) {
    return static_cast<std::uint32_t>(std::max(1.0, std::floor(site.sessions_limit)));
}

// Rows ready at the site, counted no further than enough.
std::size_t rows_waiting(const Site& site, std::size_t enough) {
    std::size_t rows = 0;
    for (const Lane* lane : site.ready) {
        rows += lane->rows();
        if (rows >= enough) break;
    }
    return rows;
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
        if (allowed > 0) choice = choose_slot(site, lane);
        Slot* slot = choice.slot;
        if (slot != nullptr) {
            passed_over = 0;
            const std::size_t share = rows_waiting(site, limits_.in_flight_max) + lane.rows();
            const std::size_t fair = share / std::max<std::size_t>(1, site.slots.size()) + 1;
            const std::uint32_t left =
                site.messages_max - std::min(slot->granted, site.messages_max);
            const std::uint64_t count =
                std::min<std::uint64_t>({allowed, fair, lease_size(site, lane), left});
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
    if (wake != Instant::max() && (!site.wake_at || wake < *site.wake_at)) {
        site.wake_at = wake;
        site_wakes_.emplace(wake, site.name);
    }
}

// How many recipients every rate that applies to the lane lets start now. Zero: `wake` is when to
// ask again.
std::uint64_t Scheduler::allowance(Lane& lane, Now now, Instant& wake) {
    std::uint64_t allowed = kUnlimited;
    for (auto* rate : {&lane.rate, &lane.campaign->rate}) {
        if (!*rate) continue;
        const std::uint64_t available = (*rate)->available(now.instant);
        if (available == 0) wake = std::min(wake, (*rate)->next_available(now.instant));
        allowed = std::min(allowed, available);
    }
    return allowed;
}

// What is leased is what a crash makes uncertain: no more than the site's pace needs.
std::uint32_t Scheduler::lease_size(const Site& site, const Lane& lane) const {
    const std::uint32_t largest = lane.campaign->plan.retry.hold_uncertain
                                      ? limits_.hold_lease_recipients_max
                                      : limits_.lease_recipients_max;
    return std::min(site.lease_size, largest);
}

// The session with the least to do that may take recipients of this lane; nullptr if none may.
// Room: there is one that could serve another lane.
Scheduler::SlotChoice Scheduler::choose_slot(Site& site, const Lane& lane) {
    const auto& limit = lane.campaign->plan.throttle.all.connections_max;
    SlotChoice choice;
    Slot*& best = choice.slot;
    for (auto& [id, slot] : site.slots) {
        if (slot->state != Slot::State::kReady || slot->granted >= site.messages_max) continue;
        if (slot->outstanding > lease_size(site, lane) / 2) continue;
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
    const bool limited = lane.rate.has_value() || run.rate.has_value();
    auto lease = std::make_shared<Lease>();
    lease->sequence = next_lease_++;
    lease->slot = slot.id;
    lease->lane = lane.id;
    lease->source = sources_[slot.source].name;
    lease->time = now.wall;
    lease->valid_until =
        now.instant + (limited ? limits_.limited_lease_validity : limits_.lease_validity);
    lease->alone = run.plan.retry.hold_uncertain;
    lease->renderer = run.plan.renderer;
    lease->recipients = std::move(recipients);
    lane.fresh_leased(lease->sequence, lease->recipients);

    if (lane.rate) lane.rate->take(taken, now.instant);
    if (run.rate) run.rate->take(taken, now.instant);
    lane.in_flight += taken;
    run.in_flight += taken;
    in_flight_ += taken;
    lane.slots[slot.id] += taken;
    if (run.plan.throttle.all.connections_max) run.slots[slot.id] += taken;
    slot.outstanding += taken;
    slot.granted += taken;
    leases_.emplace(lease->sequence, LeaseState{lease, &lane, taken, taken, now.instant});
    output_.journal.push_back(GrantLease{std::move(lease), slot.sender});
    ++journal_entries_;
}

void Scheduler::open_sessions(Site& site, Now now) {
    if (site.ready.empty() || stopping_ || now.instant < site.retry_at) return;
    const std::size_t limit = std::size_t{sessions_allowed(site)} * sources_.size();
    std::size_t useful = 0;
    std::optional<std::uint32_t> lanes_limit = 0;
    const std::size_t rows = rows_waiting(site, limit * kRowsPerSession);
    useful = std::min(limit, (rows + kRowsPerSession - 1) / kRowsPerSession + site.slots.size());
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

bool Scheduler::open_session(Site& site, Now now) {
    std::uint32_t source = 0;
    for (std::uint32_t i = 1; i < sources_.size(); ++i)
        if (site.sessions_by_source[i] < site.sessions_by_source[source]) source = i;
    if (site.sessions_by_source[source] >= sessions_allowed(site)) return false;

    // The most preferred host that lives; among equals the one with the fewest sessions.
    std::size_t chosen = site.hosts.size();
    std::size_t chosen_sessions = 0;
    Instant first_alive = Instant::max();
    for (std::size_t i = 0; i < site.hosts.size(); ++i) {
        const SiteHost& host = site.hosts[i];
        if (host.dead_until > now.instant) {
            first_alive = std::min(first_alive, host.dead_until);
            continue;
        }
        if (chosen < site.hosts.size() && host.host.preference > site.hosts[chosen].host.preference)
            break;
        std::size_t sessions = 0;
        for (const auto& [id, slot] : site.slots) sessions += slot->host_name == host.host.name;
        if (chosen < site.hosts.size() && sessions >= chosen_sessions) continue;
        chosen = i;
        chosen_sessions = sessions;
    }
    if (chosen == site.hosts.size()) {
        site.retry_at = first_alive;
        return false;
    }

    SiteHost& host = site.hosts[chosen];
    auto slot = std::make_unique<Slot>();
    slot->id = next_slot_++;
    slot->site = &site;
    slot->source = source;
    slot->sender = static_cast<std::uint32_t>(
        std::min_element(sessions_by_sender_.begin(), sessions_by_sender_.end()) -
        sessions_by_sender_.begin());
    slot->host_name = host.host.name;
    ++sessions_by_sender_[slot->sender];
    ++site.sessions_by_source[source];
    ++site.opening;
    const IpAddress address = host.host.addresses[host.next_address++ % host.host.addresses.size()];
    if (slots_.empty()) next_idle_check_ = now.instant + kIdleCheckEvery;
    output_.senders.emplace_back(
        slot->sender,
        OpenSession{slot->id, site.name, host.host.name, address, limits_.port,
                    sources_[source].name, sources_[source].address, sources_[source].ehlo});
    site.slots.emplace(slot->id, slot.get());
    slots_.emplace(slot->id, std::move(slot));
    return true;
}

void Scheduler::session_ready(const SessionReady& report, Now now) {
    Slot& slot = *slots_.at(report.slot);
    Site& site = *slot.site;
    if (slot.state == Slot::State::kClosing) return;  // the order to close is on its way
    CHECK(slot.state == Slot::State::kOpening);
    --site.opening;
    slot.state = Slot::State::kReady;
    slot.idle_since = now.instant;
    touch(site);
}

// It answered a transaction: its host and its site are in health.
void Scheduler::session_proved(Slot& slot) {
    slot.proved = true;
    Site& site = *slot.site;
    for (SiteHost& host : site.hosts)
        if (host.host.name == slot.host_name) {
            host.failures = 0;
            host.dead_until = Instant();
        }
    site.failures = 0;
    site.retry_at = Instant();
    site.blocked_since.reset();
}

void Scheduler::session_failed(const SessionFailed& report, Now now) {
    Slot& slot = *slots_.at(report.slot);
    Site& site = *slot.site;
    session_useless(slot, report.stage, report.reply, now);
    forget_slot(slot);
    touch(site);
}

// A session that carried nothing. Where others of the site work, it was one too many; otherwise its
// host is left alone for a growing time.
void Scheduler::session_useless(Slot& slot, Stage stage, const Reply& reply, Now now) {
    Site& site = *slot.site;
    site.last_failure = slot.host_name + ": " + std::string(name_of(stage)) + ": " +
                        (reply.code != 0 ? to_string(reply) : reply.text);
    for (const auto& [id, other] : site.slots)
        if (other != &slot && reply.code != 0 && other->state == Slot::State::kReady) {
            slow_down(site, now);
            return;
        }
    for (SiteHost& host : site.hosts) {
        if (host.host.name != slot.host_name) continue;
        const auto doublings = std::min<std::uint32_t>(host.failures++, 20);
        host.dead_until =
            now.instant + std::min(limits_.site_retry_max,
                                   limits_.site_retry_first * (std::int64_t{1} << doublings));
    }
    slot.state = slot.state == Slot::State::kReady ? Slot::State::kClosing : slot.state;
    site_failed(site, now);
}

// The site as a whole fails when none of its hosts lives.
void Scheduler::site_failed(Site& site, Now now) {
    Instant first_alive = Instant::max();
    for (const SiteHost& host : site.hosts) first_alive = std::min(first_alive, host.dead_until);
    if (first_alive <= now.instant) return;
    for (const auto& [id, slot] : site.slots)
        if (slot->state == Slot::State::kReady) return;
    ++site.failures;
    site.retry_at = first_alive;
    if (!site.blocked_since) {
        site.blocked_since = now.wall;
        output_.notices.push_back({Notice::Kind::kSiteTrouble, 0, site.last_failure});
    }
    for (const Lane* lane : site.ready) lanes_to_tend_.push_back(lane->id);
}

void Scheduler::session_closed(const SessionClosed& report, Now now) {
    Slot& slot = *slots_.at(report.slot);
    Site& site = *slot.site;
    if (report.reply.code == 421 && report.messages > 0 && report.messages < site.messages_max)
        site.messages_max = report.messages;  // it takes so many per session: ask for no more
    if (slot.state == Slot::State::kReady && report.messages == 0 && report.stage != Stage::kNone) {
        session_useless(slot, report.stage, report.reply, now);
    } else if (report.action == Action::kSlow) {
        slow_down(site, now);
    }
    forget_slot(slot);
    touch(site);
}

void Scheduler::slow_down(Site& site, Now now) {
    if (now.instant - site.slowed_at < kSlowAgainAfter && site.slowed_at != Instant()) return;
    site.slowed_at = now.instant;
    const double in_use =
        static_cast<double>(site.slots.size()) / static_cast<double>(sources_.size());
    site.sessions_limit = std::max(1.0, std::min(site.sessions_limit, in_use) * 0.5);
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
    --site.sessions_by_source[slot.source];
    site.slots.erase(slot.id);
    slots_.erase(slot.id);
    room_was_made();
}

// Sessions that have had nothing to do for a while are ended; at once where others wait for room.
void Scheduler::close_idle_sessions(Now now) {
    if (now.instant < next_idle_check_) return;
    next_idle_check_ = now.instant + kIdleCheckEvery;
    const bool crowded = !sites_waiting_for_room_.empty();
    for (auto& [id, slot] : slots_) {
        if (slot->state != Slot::State::kReady || slot->outstanding > 0) continue;
        if (crowded || now.instant - slot->idle_since >= limits_.idle_session) close_slot(*slot);
    }
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

void Scheduler::forget_site_if_unused(Site& site) {
    if (site.domains > 0 || !site.slots.empty() || !site.ready.empty()) return;
    sites_.erase(std::string(site.name));
}

}  // namespace posthorn
