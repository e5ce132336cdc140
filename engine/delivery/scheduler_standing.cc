// How a source stands at a site: what answers mean for both, holds by the site's own replies, and
// the brake on suppressions.
#include <algorithm>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr Duration kCrowdedFor = std::chrono::minutes(5);
constexpr std::size_t kPacesMax = 100'000;  // some 150 bytes each

std::string pace_key(const Site& site, const Source& source) {
    return site.name + std::string(1, '\0') + source.name;
}

std::string words_of(const Conduct& conduct, const Reply& reply) {
    return std::to_string(conduct.count(Sign::kStop)) + " of the last " +
           std::to_string(conduct.size()) +
           " answers in ten minutes, the latest: " + to_string(reply);
}

}  // namespace

// What speaks against a message speaks against its sender, when it is said of many.
Sign sign_of(Category category, Action action) {
    if (action == Action::kStop) return Sign::kStop;
    if (category == Category::kSpamContent && action == Action::kDrop) return Sign::kStop;
    return action == Action::kSlow ? Sign::kSlow : Sign::kNone;
}

bool works_elsewhere(const Site& site, std::uint32_t source) {
    return std::any_of(site.slots.begin(), site.slots.end(), [&](const auto& entry) {
        return entry.second->source == source && entry.second->state == Slot::State::kReady;
    });
}

void Scheduler::attach_holds(Site& site) {
    site.braked = site_holds_.find(site.name, {});
    for (std::size_t i = 0; i < sources_.size(); ++i)
        site.sources[i].hold = site_holds_.find(site.name, sources_[i].name);
}

// As many as there are is what it takes.
void Scheduler::one_session_too_many(Site& site, std::uint32_t source, Now now) {
    SourceAtSite& at = site.sources[source];
    std::uint32_t ready = 0;
    for (const auto& [id, slot] : site.slots)
        ready += slot->source == source && slot->state == Slot::State::kReady;
    at.sessions_limit = std::max<double>(1, std::min<double>(at.sessions_limit, ready));
    at.crowded_until = now.instant + kCrowdedFor;
}

bool Scheduler::pace_restored(std::string_view key, std::string_view stored, Now now) {
    if (paces_.size() >= kPacesMax || !Pace().restore(stored, now)) return false;
    paces_[std::string(key)] = stored;
    return true;
}

void Scheduler::recall_paces(Site& site, Now now) {
    if (paces_.empty()) return;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const auto known = paces_.find(pace_key(site, sources_[i]));
        if (known == paces_.end()) continue;
        (void)site.sources[i].pace.restore(known->second, now);
        paces_.erase(known);
    }
}

void Scheduler::remember_paces(const Site& site, Now now) {
    for (std::size_t i = 0; i < sources_.size(); ++i)
        if (site.sources[i].pace.rate() > 0 && paces_.size() < kPacesMax)
            paces_[pace_key(site, sources_[i])] = site.sources[i].pace.stored(now);
}

void Scheduler::record_pace(const Site& site, std::uint32_t source, Now now) {
    record_state({std::string(kPaceKind), pace_key(site, sources_[source]),
               site.sources[source].pace.stored(now)});
}

// The answer to a recipient's transaction, or to a session that nobody else will speak of.
void Scheduler::answered(Site& site, std::uint32_t source, const AttemptRecord& attempt, Now now) {
    SourceAtSite& at = site.sources[source];
    const Sign sign = sign_of(attempt.category, attempt.action);
    const bool enough = at.conduct.note(sign, now.instant);
    bool cut = false;
    if (sign == Sign::kSlow) {
        cut = at.pace.asked_for_less(now.instant) || (enough && at.pace.cut(now.instant));
    } else {
        at.pace.answered(now.instant);
    }
    if (cut || at.pace.worth_recording(now.instant)) {
        at.pace.recorded(now.instant);
        record_pace(site, source, now);
    }
    if (at.probing(now.instant)) {
        const bool clear = attempt.reply.positive() || attempt.reply.permanent();
        if (sign == Sign::kStop)
            hold_source(site, source, "tried again: " + to_string(attempt.reply), now);
        else if (sign == Sign::kNone && clear)
            release_hold({site.name, sources_[source].name});
        return;
    }
    if (!enough || at.hold != nullptr) return;
    if (sign == Sign::kStop) {
        hold_source(site, source, words_of(at.conduct, attempt.reply), now);
    } else {
        at.conduct.forget(Sign::kSlow);
        slow_down(site, source, now);
    }
}

// A session that was refused for its source's sake: at once where nothing else works, for then
// there is nothing that speaks against it. True: the source is held now, and no host is to blame.
bool Scheduler::refused_at_the_door(Site& site, std::uint32_t source, const SessionFailed& report,
                                    Now now) {
    const Sign sign = sign_of(report.category, report.action);
    if (report.reply.code == 0 || sign == Sign::kNone) return false;
    SourceAtSite& at = site.sources[source];
    if (sign == Sign::kSlow) {
        if (works_elsewhere(site, source)) {
            one_session_too_many(site, source, now);
            return true;
        }
        at.pace.refused_session(now.instant);
        site.last_failure = std::string(name_of(report.stage)) + ": " + to_string(report.reply);
        if (!site.blocked_since) site.blocked_since = now.wall;
        return true;
    }
    const bool enough = at.conduct.note(Sign::kStop, now.instant);
    const bool definite = report.reply.permanent() && !at.conduct.worked(now.instant);
    if (!enough && !definite && !at.probing(now.instant)) return false;
    hold_source(site, source, std::string(name_of(report.stage)) + ": " + to_string(report.reply),
                now);
    return true;
}

// For twice as long as the last time, if that one has not ended well.
void Scheduler::hold_source(Site& site, std::uint32_t source, const std::string& words, Now now) {
    SourceAtSite& at = site.sources[source];
    if ((at.hold != nullptr && at.hold->in_force(now.instant)) || site_holds_.full()) return;
    SiteHold hold;
    if (at.hold != nullptr) hold = *at.hold;
    if (hold.times == 0) hold.since = now.wall;
    const auto doublings = std::min<std::uint32_t>(hold.times++, 20);
    const Duration span =
        std::min(limits_.hold_max, limits_.hold_first * (std::int64_t{1} << doublings));
    hold.until = now.instant + span;
    hold.domain = site.domain;
    hold.reason = words;
    at.conduct.forget(Sign::kStop);
    output_.notices.push_back({Notice::Kind::kSiteTrouble, 0,
                               site.domain + ": source " + sources_[source].name +
                                   " is held there for " + in_seconds(span) + ": " + words +
                                   " (posthorn release " + site.domain + " tries at once)"});
    put_hold(site, sources_[source].name, std::move(hold), now);
    for (auto& [id, slot] : site.slots)
        if (slot->source == source) close_slot(*slot);
}

void Scheduler::put_hold(Site& site, const std::string& source, SiteHold hold, Now now) {
    site.last_failure = hold.reason;
    record_state(site_holds_.put(site.name, source, std::move(hold), now));
    attach_holds(site);
    for (const Lane* lane : site.ready) lanes_to_tend_.push_back(lane->id);
    touch(site);
}

void Scheduler::release_hold(const SiteHolds::Key& key) {
    record_state(site_holds_.release(key.first, key.second));
    const auto site = sites_.find(key.first);
    if (site == sites_.end()) return;
    if (key.second.empty()) site->second->brake.released();
    attach_holds(*site->second);
    touch(*site->second);
}

// By an operator: of the site that the domain is at, and of those that are named by it. False:
// there was none.
bool Scheduler::release_holds(const std::string& domain) {
    const auto known = domains_.find(domain);
    const Site* site = known == domains_.end() ? nullptr : known->second->site;
    std::vector<SiteHolds::Key> keys;
    for (const auto& [key, hold] : site_holds_.all())
        if (hold.domain == domain || (site != nullptr && key.first == site->name))
            keys.push_back(key);
    for (const SiteHolds::Key& key : keys) release_hold(key);
    return !keys.empty();
}

// A site that says of everybody that they do not exist is believed no longer: what was suppressed
// on its word is not in force until an operator has looked, and it gets no mail meanwhile.
void Scheduler::brake_if_out_of_proportion(Site& site, const RecordOutcome& outcome, Now now) {
    if (!outcome.suppress) site.brake.other_answer();
    if (!outcome.suppress || site.braked != nullptr) return;
    const std::string_view local = outcome.recipient.local().substr(4);
    if (!site.brake.suppressed(outcome.lane.domain, local) || site_holds_.full()) return;
    SiteHold hold;
    hold.braked = true;
    hold.since = now.wall;
    hold.until = Instant::max();
    hold.times = 1;
    hold.domain = site.domain;
    hold.reason = site.brake.words() + " do not exist, says " + site.name +
                  ", the latest: " + to_string(outcome.attempt->reply);
    QuarantineSuppressions doubted{kBrakeSource + site.domain, {}};
    for (SuppressedAddress& address : site.brake.take_addresses()) {
        recently_suppressed_.erase(hash64(address.folded_local + "@" + address.domain));
        doubted.addresses.emplace_back(std::move(address.domain), std::move(address.folded_local));
    }
    output_.notices.push_back(
        {Notice::Kind::kSiteTrouble, 0,
         site.domain + " gets no mail for now: " + hold.reason + ". Of its suppressions " +
             std::to_string(doubted.addresses.size()) + " are not in force. posthorn release " +
             site.domain +
             " goes on; with --undo they are taken back, with --confirm they are in force again"});
    output_.journal.push_back(std::move(doubted));
    ++journal_entries_;
    put_hold(site, {}, std::move(hold), now);
    for (auto& [id, slot] : site.slots) close_slot(*slot);
}

}  // namespace posthorn
