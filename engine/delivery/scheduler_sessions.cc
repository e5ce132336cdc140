// Sessions of sites: opening them, and what follows from how they begin and end.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr Duration kIdleCheckEvery = std::chrono::milliseconds(500);
constexpr Duration kSlowAgainAfter = std::chrono::seconds(10);  // one cut for one burst of refusals

}  // namespace

// The most preferred host that lives; among equals the one with the fewest sessions.
std::optional<std::size_t> Scheduler::choose_host(Site& site, Now now) {
    std::optional<std::size_t> chosen;
    std::size_t chosen_sessions = 0;
    Instant first_alive = Instant::max();
    for (std::size_t i = 0; i < site.hosts.size(); ++i) {
        const SiteHost& host = site.hosts[i];
        if (host.dead_until > now.instant) {
            first_alive = std::min(first_alive, host.dead_until);
            continue;
        }
        if (chosen && host.host.preference > site.hosts[*chosen].host.preference) break;
        std::size_t sessions = 0;
        for (const auto& [id, slot] : site.slots) sessions += slot->host_name == host.host.name;
        if (chosen && sessions >= chosen_sessions) continue;
        chosen = i;
        chosen_sessions = sessions;
    }
    if (!chosen) site.retry_at = first_alive;
    return chosen;
}

bool Scheduler::open_session(Site& site, Now now) {
    std::optional<std::uint32_t> source_chosen;
    for (std::uint32_t i = 0; i < sources_.size(); ++i) {
        const SourceAtSite& at = site.sources[i];
        if (at.sessions >= at.sessions_allowed(now.instant)) continue;
        if (source_chosen && at.sessions >= site.sources[*source_chosen].sessions) continue;
        if (source_may_open(site, i, now)) source_chosen = i;
    }
    if (!source_chosen) return false;
    const std::uint32_t source = *source_chosen;
    const auto chosen = choose_host(site, now);
    if (!chosen) return false;
    SiteHost& host = site.hosts[*chosen];
    auto slot = std::make_unique<Slot>();
    slot->id = next_slot_++;
    slot->site = &site;
    slot->source = source;
    slot->sender = static_cast<std::uint32_t>(
        std::min_element(sessions_by_sender_.begin(), sessions_by_sender_.end()) -
        sessions_by_sender_.begin());
    slot->host_name = host.host.name;
    ++sessions_by_sender_[slot->sender];
    ++site.sources[source].sessions;
    count_opened(*slot, now);
    ++site.opening;
    const IpAddress address = host.host.addresses[host.next_address++ % host.host.addresses.size()];
    if (slots_.empty()) next_idle_check_ = now.instant + kIdleCheckEvery;
    OpenSession order;
    order.slot = slot->id;
    order.site = site.name;
    order.host = host.host.name;
    order.address = address;
    order.port = limits_.port;
    order.source = sources_[source].name;
    order.local_address = sources_[source].address;
    order.ehlo_name = sources_[source].ehlo;
    order.rung_max = slot->rung_max = peers_.rung_max(host.host.name, now.wall);
    order.tls = tls_policy_for(site, host, now);
    if (order.tls) slot->tls = order.tls->mode;
    if (!site.ready.empty()) {
        slot->domain = site.ready.front()->domain->name;
        slot->tls_type = site.ready.front()->domain->tls_type;
    }
    output_.senders.emplace_back(slot->sender, std::move(order));
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
    if (report.mail_max)
        slot.messages_max =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(*report.mail_max, UINT32_MAX));
    slot.domains_max = report.domain_max;
    count_tls(slot, report.proof, now);
    site.rung = report.rung;
    touch(site);
}

void Scheduler::session_ending(const SessionEnding& report) {
    Slot& slot = *slots_.at(report.slot);
    if (slot.state == Slot::State::kOpening) --slot.site->opening;
    slot.state = Slot::State::kClosing;
}

// It answered a transaction: its host and its site are in health.
void Scheduler::session_proved(Slot& slot) {
    slot.proved = true;
    Site& site = *slot.site;
    peers_.proved(slot.host_name);
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
    if (report.tls != TlsResult::kSuccess) count_tls(slot, report.tls, now);
    // Encryption was welcome, no more: the host gets its mail in the clear for a while (RFC 7435).
    if (report.tls != TlsResult::kSuccess && slot.tls == TlsMode::kOpportunistic) {
        record_state(peers_.tls_broke(slot.host_name, now.wall));
        site.last_failure = slot.host_name + ": " + report.reply.text;
    } else if (!refused_at_the_door(site, slot.source, report, now)) {
        session_useless(slot, report.stage, report.reply, now);
    }
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
            one_session_too_many(site, slot.source, now);
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
    if (report.mishandled) {
        record_state(peers_.mishandled(slot.host_name, *report.mishandled, now.wall));
    } else if (report.suspected) {
        if (auto known = peers_.suspected(slot.host_name, *report.suspected, now.wall))
            record_state(std::move(*known));
    }
    if (report.mishandled) {
        // Slower, it may well do.
    } else if (slot.state == Slot::State::kReady && report.messages == 0 &&
               report.stage != Stage::kNone) {
        session_useless(slot, report.stage, report.reply, now);
    } else if (report.reply.code != 0 && !slot.complained) {
        AttemptRecord closing;
        closing.stage = report.stage;
        closing.category = report.category;
        closing.action = report.action;
        closing.reply = report.reply;
        answered(site, slot.source, closing, now);
    }
    forget_slot(slot);
    touch(site);
}

void Scheduler::slow_down(Site& site, std::uint32_t source, Now now) {
    SourceAtSite& at = site.sources[source];
    if (now.instant - at.slowed_at < kSlowAgainAfter && at.slowed_at != Instant()) return;
    at.slowed_at = now.instant;
    const double in_use = at.sessions;
    at.sessions_limit = std::max(1.0, std::min(at.sessions_limit, in_use) * 0.5);
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

void Scheduler::record_state(PutState state) {
    output_.journal.push_back(std::move(state));
    ++journal_entries_;
}

}  // namespace posthorn
