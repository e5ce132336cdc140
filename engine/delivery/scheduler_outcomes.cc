// What follows from an attempt, and from what the journal has recorded.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/delivery/retry_hint.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr Duration kQuickLease = std::chrono::milliseconds(100);  // sooner: the next may be larger
constexpr Duration kSlowLease = std::chrono::milliseconds(500);   // later: the next is smaller
constexpr std::uint8_t kStrikesMax = 3;       // connections that a recipient may break unpunished
constexpr std::size_t kStrikesKept = 50'000;  // recipients with strikes remembered
constexpr std::size_t kReplyKindsMax = 20;    // remembered per site

}  // namespace

void Scheduler::attempt_done(AttemptDone& report, Now now) {
    const auto found = leases_.find(report.lease);
    CHECK(found != leases_.end());
    LeaseState& state = found->second;
    CHECK(report.recipient < state.lease->recipients.size() && state.unreported > 0);
    const Recipient& recipient = state.lease->recipients[report.recipient];
    Lane& lane = *state.lane;

    --state.unreported;
    --in_flight_;
    for (auto* users : {&lane.slots, &lane.campaign->slots})
        if (const auto use = users->find(state.lease->slot);
            use != users->end() && --use->second == 0)
            users->erase(use);
    // The session may have ended while the lease was on its way to it.
    const auto slot = slots_.find(state.lease->slot);
    Site* site = slot != slots_.end() ? slot->second->site : lane.site;
    if (slot != slots_.end()) slot_used(*slot->second, report.end, now);
    if (site != nullptr) touch(*site);
    if (lane.site != nullptr) touch(*lane.site);

    if (report.end == AttemptEnd::kReturned && report.begun && struck_out(lane, recipient)) {
        // Its transaction breaks every connection it is tried on: that is an attempt, or it never
        // ends.
        report.end = AttemptEnd::kRefused;
        report.attempt.stage = Stage::kData;
        report.attempt.category = Category::kNetwork;
        report.attempt.action = Action::kRetry;
        report.attempt.time = now.wall;
        report.attempt.reply.text = "the connection was lost before end of data, again and again";
    }
    if (report.end == AttemptEnd::kReturned) {
        returned(state, recipient, now);
        account_lease(report.lease, false);
        return;
    }
    if (site != nullptr) {
        learn(*site, state.source, report, now);
        if (state.unreported == 0) learn_pace(*site, now.instant - state.granted);
        if (report.end == AttemptEnd::kAccepted || report.end == AttemptEnd::kRefused) {
            if (slot != slots_.end() &&
                sign_of(report.attempt.category, report.attempt.action) != Sign::kNone)
                slot->second->complained = true;
            answered(*site, state.source, report.attempt, now);
        }
    }
    RecordOutcome outcome = outcome_of(state, recipient, report, now);
    if (outcome.suppress && site != nullptr && site->braked != nullptr)
        outcome.quarantine = kBrakeSource + site->braked->domain;
    else if (outcome.suppress)
        note_suppressed(outcome.lane.domain, recipient.local().substr(4));
    output_.journal.push_back(outcome);
    ++journal_entries_;
    ++unrecorded_;
    if (site != nullptr) brake_if_out_of_proportion(*site, outcome, now);
}

// Whether the recipient's transaction was cut off once too often before its end of data.
bool Scheduler::struck_out(const Lane& lane, const Recipient& recipient) {
    if (strikes_.size() >= kStrikesKept) strikes_.clear();
    const std::uint64_t who = hash64(recipient.local(), LaneHash{}(lane.id));
    if (++strikes_[who] < kStrikesMax) return false;
    strikes_.erase(who);
    return true;
}

void Scheduler::slot_used(Slot& slot, AttemptEnd end, Now now) {
    --slot.outstanding;
    if (end == AttemptEnd::kReturned) {
        --slot.granted;
    } else if (!slot.proved) {
        session_proved(slot);
    }
    slot.idle_since = now.instant;
    if (slot.outstanding == 0 && messages_left(*slot.site, slot) == 0) close_slot(slot);
}

void Scheduler::returned(LeaseState& state, const Recipient& recipient, Now now) {
    Lane& lane = *state.lane;
    CampaignRun& run = *lane.campaign;
    if (lane.rate) lane.rate->give_back(1, state.granted, now.instant);
    if (run.rate) run.rate->give_back(1, state.granted, now.instant);
    count_returned(state, now);
    if (lane.site != nullptr) lane.site->sources[state.source].pace.give_back();
    output_.journal.push_back(RecordReturned{state.lease->sequence, recipient});
    ++journal_entries_;
    --lane.in_flight;
    --run.in_flight;
    if (!run.draining) {  // otherwise the store still has it as it was
        lane.put_back(recipient);
        ++rows_ahead_;
    }
    lanes_to_tend_.push_back(lane.id);
}

RecordOutcome Scheduler::outcome_of(const LeaseState& state, const Recipient& recipient,
                                    AttemptDone& report, Now now) {
    const CampaignRun& run = *state.lane->campaign;
    const RetryPolicy& retry = run.plan.retry;
    const OutcomeRecord* previous = recipient.previous();
    RecordOutcome outcome{state.lease->lane,
                          recipient,
                          state.lease->sequence,
                          std::move(report.attempt),
                          OutcomeState::kDeferred,
                          Category::kNone,
                          previous != nullptr ? previous->first_lease : state.lease->time,
                          {},
                          false};
    outcome.category = outcome.attempt->category;
    Action action = outcome.attempt->action;
    // What was said to MAIL is about the sender, and never about the address.
    if (outcome.attempt->stage == Stage::kMail && action == Action::kSuppress)
        action = outcome.attempt->action = Action::kRetry;

    if (report.end == AttemptEnd::kAccepted) {
        outcome.state = OutcomeState::kDelivered;
        return outcome;
    }
    if (report.end == AttemptEnd::kUnrendered) {
        outcome.state = OutcomeState::kBounced;
        return outcome;
    }
    if (report.end == AttemptEnd::kUncertain && retry.hold_uncertain) {
        outcome.state = OutcomeState::kUncertain;
        return outcome;
    }
    if (report.end == AttemptEnd::kRefused &&
        (action == Action::kSuppress || action == Action::kDrop)) {
        outcome.state = OutcomeState::kBounced;
        outcome.suppress = action == Action::kSuppress;
        return outcome;
    }
    const std::uint32_t attempts = (previous != nullptr ? previous->attempts : 0) + 1;
    if (run.cancelling) {
        outcome.state = OutcomeState::kCancelled;
    } else if (retry.exhausted(attempts) || retry.expired(outcome.first_lease, now.wall)) {
        outcome.state = OutcomeState::kExpired;
    } else {
        outcome.next_due = due_after_reply(retry, *outcome.attempt, attempts, outcome.first_lease,
                                           now.wall, random_);
    }
    return outcome;
}

// A site's own figures, and its pace: more sessions as it accepts.
void Scheduler::learn(Site& site, std::uint32_t source, const AttemptDone& report, Now now) {
    if (report.end == AttemptEnd::kAccepted) {
        ++site.accepted;
        SourceAtSite& at = site.sources[source];
        at.pace.took(report.latency);
        if (now.instant < at.crowded_until || at.pace.slower_than_it_was()) return;
        double& limit = at.sessions_limit;
        limit = std::min(sessions_ceiling(site), limit + 1.0 / limit);
        return;
    }
    const AttemptRecord& attempt = report.attempt;
    const bool permanent = attempt.action == Action::kSuppress || attempt.action == Action::kDrop;
    ++(permanent ? site.refused : site.deferred);
    const std::string kind =
        std::to_string(attempt.reply.code) + " " + std::string(name_of(attempt.category));
    if (site.replies.size() < kReplyKindsMax || site.replies.contains(kind)) ++site.replies[kind];
}

void Scheduler::learn_pace(Site& site, Duration lease_took) {
    if (lease_took < kQuickLease)
        site.lease_size = std::min(site.lease_size * 2, limits_.lease_recipients_max);
    if (lease_took > kSlowLease)
        site.lease_size = std::max(limits_.lease_recipients_start, site.lease_size / 2);
}

// One recipient of the lease is accounted for; with the last the lease is over.
void Scheduler::account_lease(std::uint64_t sequence, bool recorded) {
    const auto found = leases_.find(sequence);
    CHECK(found != leases_.end());
    LeaseState& state = found->second;
    CHECK(state.unrecorded > 0);
    Lane& lane = *state.lane;
    if (recorded) ++lane.recorded_since_mark;
    if (--state.unrecorded > 0) return;
    const std::string mark = lane.lease_recorded(sequence, limits_.mark_every);
    if (!mark.empty() && !lane.campaign->draining) {
        output_.journal.push_back(RecordMark{lane.id, mark});
        ++journal_entries_;
    }
    leases_.erase(found);
}

void Scheduler::recorded(const OutcomeRecorded& outcome) {
    const auto found = lanes_.find(outcome.lane);
    CHECK(found != lanes_.end());
    Lane& lane = *found->second;
    CHECK(lane.in_flight > 0 && lane.campaign->in_flight > 0 && unrecorded_ > 0);
    --lane.in_flight;
    --lane.campaign->in_flight;
    --unrecorded_;
    if (outcome.state == OutcomeState::kDeferred) {
        auto& earliest = outcome.next_due <= lane.due_after ? lane.due_behind : lane.next_due;
        earliest = earliest ? std::min(*earliest, outcome.next_due) : outcome.next_due;
    }
    if (outcome.lease != 0) account_lease(outcome.lease, true);
    if (lane.in_flight == 0 || lane.sweep) lanes_to_tend_.push_back(lane.id);
}

}  // namespace posthorn
