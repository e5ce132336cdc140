// What follows from an attempt, and from what the journal has recorded; the life of a campaign.
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
constexpr std::uint32_t kRewalksMax = 10;     // more would never end
constexpr std::size_t kReplyKindsMax = 20;    // remembered per site

std::uint64_t settled(const Figures& figures) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : figures.by_state) sum += count;
    return sum;
}

std::uint64_t count_of(const Figures& figures, OutcomeState state) {
    return figures.by_state[static_cast<std::size_t>(state)];
}

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
        learn(*site, report, now);
        if (state.unreported == 0) learn_pace(*site, now.instant - state.granted);
    }
    output_.journal.push_back(outcome_of(state, recipient, report, now));
    ++journal_entries_;
    ++unrecorded_;
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
        if (outcome.suppress)
            note_suppressed(state.lease->lane.domain, recipient.local().substr(4));
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

// A site's own figures, and its pace: more sessions as it accepts, fewer when it asks for less.
void Scheduler::learn(Site& site, const AttemptDone& report, Now now) {
    if (report.end == AttemptEnd::kAccepted) {
        ++site.accepted;
        site.sessions_limit =
            std::min(sessions_ceiling(site), site.sessions_limit + 1.0 / site.sessions_limit);
        return;
    }
    const AttemptRecord& attempt = report.attempt;
    if (attempt.action == Action::kSlow) slow_down(site, now);
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

void Scheduler::check_stop_if(CampaignRun& run, Now now) {
    const Throttle& throttle = run.plan.throttle;
    if (!throttle.stop_bounce_percent || run.plan.record.state != CampaignState::kRunning) return;
    const std::uint64_t bounced = count_of(run.figures, OutcomeState::kBounced);
    const std::uint64_t judged = bounced + count_of(run.figures, OutcomeState::kDelivered);
    if (judged < throttle.stop_after || judged == 0) return;
    const double percent = 100.0 * static_cast<double>(bounced) / static_cast<double>(judged);
    if (percent < *throttle.stop_bounce_percent) return;
    (void)pause(run.number(), "stop_if.bounce_percent", now);
}

void Scheduler::finish_if_done(CampaignRun& run, Now now) {
    const bool waits = run.waits_until().has_value() && !run.cancelling;
    if (stopping_ || run.draining || (!run.granting() && !run.cancelling && !waits)) return;
    if (run.plan.record.finished != WallTime()) return;
    if (!run.walked() && !waits) return;
    if (run.lanes_open > 0 || run.lanes_parked > 0 || run.in_flight > 0) return;
    const std::uint64_t unsettled =
        run.plan.record.audience.recipients -
        std::min(run.plan.record.audience.recipients, settled(run.figures)) +
        count_of(run.figures, OutcomeState::kDeferred);
    if (unsettled > 0 && waits) return;
    if (unsettled > 0) {  // the walk passed somebody over: nobody is lost, it is made again
        CHECK(++run.rewalks < kRewalksMax);
        unload(run);
        return;
    }
    count_active_time(run, now);
    run.plan.record.finished = now.wall;
    if (!run.cancelling) run.plan.record.state = CampaignState::kFinished;
    put_campaign(run);
    output_.notices.push_back(
        {run.cancelling ? Notice::Kind::kCampaignCancelled : Notice::Kind::kCampaignFinished,
         run.number(), run.plan.record.id});
}

// Adds the time since the campaign began to run, or since this was last counted.
void Scheduler::count_active_time(CampaignRun& run, Now now) {
    if (run.active_since) run.plan.record.active += now.instant - *run.active_since;
    run.active_since.reset();
    if (run.plan.record.state == CampaignState::kRunning && run.open)
        run.active_since = now.instant;
}

void Scheduler::put_campaign(const CampaignRun& run) {
    output_.journal.push_back(PutCampaign{run.plan.record});
    ++journal_entries_;
}

// Forgets what was read; the walk starts again when every lane has ended what it had in flight.
void Scheduler::unload(CampaignRun& run) {
    run.draining = true;
    run.lane_after.clear();
    run.lanes_complete = false;
    run.stragglers.clear();
    run.deferred_after.clear();
    run.deferred_complete = false;
    run.batches.clear();
    run.unsent_parked.clear();
    std::vector<Parked> kept;
    while (!parked_.empty()) {
        if (parked_.top().campaign != run.number()) kept.push_back(parked_.top());
        parked_.pop();
    }
    for (Parked& parked : kept) parked_.push(std::move(parked));
    run.lanes_parked = 0;
    for (auto& [id, lane] : lanes_) {
        if (lane->campaign != &run) continue;
        rows_ahead_ -= lane->rows();
        lane->fresh.clear();
        lane->due.clear();
        lane->batch = 0;
        lane->sent = true;
        lane->fresh_complete = true;
        lanes_to_tend_.push_back(id);
    }
}

Status Scheduler::pause(CampaignNumber campaign, const std::string& reason, Now now) {
    const auto found = campaigns_.find(campaign);
    if (found == campaigns_.end() || found->second->plan.record.state != CampaignState::kRunning)
        return Error{ErrorKind::kConflict, "the campaign is not running"};
    CampaignRun& run = *found->second;
    run.plan.record.state = CampaignState::kPaused;
    count_active_time(run, now);
    run.plan.record.pause_reason = reason;
    put_campaign(run);
    unload(run);
    output_.notices.push_back(
        {Notice::Kind::kCampaignPaused, campaign, run.plan.record.id + ": " + reason});
    return {};
}

Status Scheduler::resume(CampaignNumber campaign, Now now) {
    const auto found = campaigns_.find(campaign);
    if (found == campaigns_.end() || found->second->plan.record.state != CampaignState::kPaused)
        return Error{ErrorKind::kConflict, "the campaign is not paused"};
    CampaignRun& run = *found->second;
    if (!run.plan.unready.empty()) return Error{ErrorKind::kConflict, run.plan.unready};
    if (run.plan.record.pause_reason == "stop_if.bounce_percent")
        run.plan.throttle.stop_bounce_percent.reset();  // the operator has seen it
    if (run.plan.record.pause_reason == kLatePauseReason)
        run.plan.schedule.max_lateness = Duration::max();  // the same
    run.plan.record.state = CampaignState::kRunning;
    run.plan.record.pause_reason.clear();
    follow_schedule(run, now);
    count_active_time(run, now);
    put_campaign(run);
    output_.notices.push_back({Notice::Kind::kCampaignResumed, campaign, run.plan.record.id});
    return {};
}

Status Scheduler::cancel(CampaignNumber campaign) {
    const auto found = campaigns_.find(campaign);
    if (found == campaigns_.end() || found->second->plan.record.finished != WallTime())
        return Error{ErrorKind::kConflict, "the campaign has ended"};
    CampaignRun& run = *found->second;
    run.cancelling = true;
    run.plan.record.state = CampaignState::kCancelled;
    put_campaign(run);
    unload(run);
    return {};
}

Status Scheduler::set_plan(CampaignNumber campaign, const RetryPolicy& retry,
                           const Throttle& throttle, const std::string& definition) {
    const auto found = campaigns_.find(campaign);
    if (found == campaigns_.end()) return Error{ErrorKind::kNotFound, "there is no such campaign"};
    CampaignRun& run = *found->second;
    run.plan.retry = retry;
    run.plan.throttle = throttle;
    run.plan.record.definition = definition;
    if (!throttle.all.rate) {
        run.rate.reset();
    } else if (run.rate) {
        run.rate->set_rate(*throttle.all.rate);
    } else {
        run.rate.emplace(*throttle.all.rate);
    }
    std::erase_if(run.domain_rates, [&](const auto& entry) {
        const auto limit = throttle.per_domain.find(entry.first);
        return limit == throttle.per_domain.end() || !limit->second.rate;
    });
    for (const auto& [domain, limit] : throttle.per_domain)
        if (limit.rate)
            run.domain_rates.try_emplace(domain, *limit.rate).first->second.set_rate(*limit.rate);
    for (auto& [id, lane] : lanes_) {
        if (lane->campaign != &run) continue;
        const auto limit = throttle.per_domain.find(id.domain);
        const auto rate = run.domain_rates.find(id.domain);
        lane->connections_max.reset();
        if (limit != throttle.per_domain.end())
            lane->connections_max = limit->second.connections_max;
        lane->rate = rate != run.domain_rates.end() ? &rate->second : nullptr;
        if (lane->site != nullptr) touch(*lane->site);
    }
    put_campaign(run);
    return {};
}

void Scheduler::suspend(const std::string& reason) { suspended_ = reason; }

void Scheduler::go_on() {
    suspended_.clear();
    for (auto& [name, site] : sites_) touch(*site);
}

void Scheduler::address_suppressed(std::string_view domain, std::string_view folded_local) {
    note_suppressed(domain, folded_local);
}

}  // namespace posthorn
