// Lanes: reading ahead, tending to what each needs, parking what has to wait.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/delivery/retry_hint.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr WallTime kNever = WallTime::max();

}  // namespace

std::uint64_t Scheduler::new_ticket(TicketKind kind, LaneId lane) {
    const std::uint64_t number = next_ticket_++;
    tickets_.emplace(number, Ticket{kind, std::move(lane)});
    return number;
}

void Scheduler::rows_read(Lane& lane, TicketKind kind, RowsRead& answer, Now now) {
    rows_ahead_ -= limits_.rows_per_read;
    lanes_to_tend_.push_back(lane.id);
    if (lane.campaign->draining) return;
    const auto count = static_cast<std::uint32_t>(answer.page ? answer.page->items.size() : 0);
    rows_ahead_ += count;
    auto& queue = kind == TicketKind::kFresh ? lane.fresh : lane.due;
    for (std::uint32_t i = 0; i < count; ++i) queue.emplace_back(answer.page, i);
    if (kind == TicketKind::kFresh) {
        if (count > 0) lane.fresh_after = queue.back().position();
        lane.fresh_complete = answer.complete;
        return;
    }
    if (count > 0) {
        lane.due_after = queue.back().due();
        lane.due_after_local = queue.back().local();
    }
    // A retry may have been recorded while the page was read: the earlier of both stays.
    if (!answer.complete) {
        lane.next_due = now.wall;
        return;
    }
    lane.flushing = false;
    if (answer.next_due && is_astray(*lane.campaign, *answer.next_due, now)) {
        lane.flushing = true;
        lane.next_due = now.wall;
    } else if (answer.next_due) {
        lane.next_due =
            lane.next_due ? std::min(*lane.next_due, *answer.next_due) : answer.next_due;
    }
}

Lane& Scheduler::open_lane(CampaignRun& run, const std::string& domain) {
    LaneId id{run.number(), domain};
    auto lane = std::make_unique<Lane>(id, run);
    const auto& limits = run.plan.throttle.per_domain;
    if (const auto limit = limits.find(domain); limit != limits.end()) {
        if (limit->second.rate)
            lane->rate = &run.domain_rates.try_emplace(domain, *limit->second.rate).first->second;
        lane->connections_max = limit->second.connections_max;
    }
    lane->domain = &domain_of(domain);
    lane->domain->lanes.push_back(lane.get());
    lane->site = lane->domain->site;
    ++run.lanes_open;
    return *lanes_.emplace(std::move(id), std::move(lane)).first->second;
}

void Scheduler::close_lane(Lane& lane) {
    CHECK(lane.idle());
    rows_ahead_ -= lane.rows();
    --lane.campaign->lanes_open;
    if (lane.ready) std::erase(lane.site->ready, &lane);
    release_domain_state(lane);
    lanes_.erase(lane.id);
}

void Scheduler::park(Lane& lane, WallTime wake) {
    CampaignRun& run = *lane.campaign;
    const bool unsent = !(lane.fresh_complete && lane.fresh.empty());
    if (unsent && run.unsent_parked.size() < limits_.stragglers_max) {
        run.unsent_parked.insert(lane.id.domain);  // first: leaving may record the cursor
        leave_batch(lane);
    }
    parked_.push({wake, run.number(), lane.batch, !unsent, false, lane.id.domain});
    ++run.lanes_parked;
    close_lane(lane);
}

void Scheduler::unpark_due(Now now) {
    while (!stopping_ && !parked_.empty() && parked_.top().wake <= now.wall &&
           lanes_.size() < limits_.lanes_open_max) {
        const Parked parked = parked_.top();
        parked_.pop();
        const LaneId id{parked.campaign, parked.domain};
        const auto run = campaigns_.find(parked.campaign);
        if (run == campaigns_.end()) continue;
        --run->second->lanes_parked;
        const auto open = lanes_.find(id);
        Lane& lane = open != lanes_.end() ? *open->second : open_lane(*run->second, parked.domain);
        // A lane may stand here twice, once for retries that were listed, once for what is unsent.
        const bool unsent =
            !parked.fresh_complete || run->second->unsent_parked.contains(parked.domain);
        if (open == lanes_.end()) lane.fresh_complete = !unsent;
        if (unsent && lane.fresh_complete) lane.fresh_complete = lane.sent = false;
        if (parked.batch != 0) lane.batch = parked.batch;
        lane.next_due = WallTime();
        lane.flushing |= parked.flush;
        lanes_to_tend_.push_back(id);
    }
}

void Scheduler::unpark_all(CampaignNumber campaign, const std::string& domain, bool flush,
                           Now now) {
    std::vector<Parked> all;
    all.reserve(parked_.size());
    while (!parked_.empty()) {
        all.push_back(parked_.top());
        parked_.pop();
    }
    for (Parked& parked : all) {
        const bool wanted = (campaign == 0 || parked.campaign == campaign) &&
                            (domain.empty() || parked.domain == domain);
        if (wanted) {
            parked.wake = std::min(parked.wake, now.wall);
            parked.flush |= flush;
        }
        parked_.push(std::move(parked));
    }
    unpark_due(now);
}

void Scheduler::tend(Lane& lane, Now now) {
    CampaignRun& run = *lane.campaign;
    if (stopping_) return;
    if (run.draining || (!run.granting() && !run.cancelling)) {
        if (lane.idle()) close_lane(lane);
        return;
    }
    if (run.cancelling && !lane.sweep) lane.sweep = Sweep{};
    if (!lane.sweep) {
        resolve(*lane.domain, now);
        give_up_if_blocked_too_long(lane, now);
    }
    if (lane.due_behind && lane.idle() && lane.due.empty()) {
        lane.next_due =
            lane.next_due ? std::min(*lane.next_due, *lane.due_behind) : lane.due_behind;
        lane.due_behind.reset();
        lane.due_after = WallTime();
        lane.due_after_local.clear();
    }
    refill(lane, now);
    if (lane.sweep) {
        sweep(lane, now);
    } else if (lane.site != nullptr && lane.sendable() && !lane.ready && !lane.domain->held) {
        lane.ready = true;
        lane.site->ready.push_back(&lane);
        touch(*lane.site);
    }
    if (!lane.sent && lane.fresh_complete && lane.fresh.empty() && lane.fresh_leases.empty()) {
        lane.sent = true;
        leave_batch(lane);
        run.unsent_parked.erase(lane.id.domain);
    }
    if (lane.idle()) rest(lane, now);
}

// Nothing of the lane is under way: it is done, or waits somewhere that costs less, or for room to
// read.
void Scheduler::rest(Lane& lane, Now now) {
    const auto blocked = blocked_until(lane, now);
    if (!lane.sendable() && lane.fresh_complete && !lane.hungry) {
        CampaignRun& run = *lane.campaign;
        if (lane.next_due) {
            park(lane, is_astray(*lane.campaign, *lane.next_due, now) ? now.wall : *lane.next_due);
        } else {
            close_lane(lane);
            finish_if_done(run, now);
        }
    } else if (blocked && !lane.sweep && *blocked == Instant::max()) {
        park(lane, kNever);
    } else if (blocked && !lane.sweep && *blocked - now.instant >= std::chrono::seconds(1)) {
        park(lane, now.wall + (*blocked - now.instant));
    }
}

// Asks for rows before the lane runs dry, one read at a time.
void Scheduler::refill(Lane& lane, Now now) {
    lane.hungry = false;
    if (lane.ticket != 0) return;
    const bool sweeping = lane.sweep.has_value();
    const bool due_wanted = lane.next_due && lane.due.empty() &&
                            (sweeping || lane.flushing || *lane.next_due <= now.wall);
    const bool fresh_wanted =
        !lane.fresh_complete && lane.fresh.size() <= limits_.rows_per_read / 2;
    if (!due_wanted && !fresh_wanted) return;
    if (rows_ahead_ >= limits_.rows_ahead_max && lane.sendable()) return;
    if (rows_ahead_ >= 2 * std::size_t{limits_.rows_ahead_max}) {
        lane.hungry = true;
        hungry_lanes_.push_back(lane.id);
        return;
    }
    rows_ahead_ += limits_.rows_per_read;
    lane.ticket = new_ticket(due_wanted ? TicketKind::kDue : TicketKind::kFresh, lane.id);
    if (due_wanted) {
        lane.next_due.reset();
        const WallTime until = sweeping || lane.flushing ? kNever : now.wall;
        output_.reader.push_back(ReadDue{lane.ticket, lane.id, until, lane.due_after,
                                         lane.due_after_local, limits_.rows_per_read});
    } else {
        output_.reader.push_back(
            ReadFresh{lane.ticket, lane.id, lane.fresh_after, limits_.rows_per_read});
    }
}

void Scheduler::give_up_if_blocked_too_long(Lane& lane, Now now) {
    const DomainState& domain = *lane.domain;
    if (domain.rejected) {
        lane.sweep = Sweep{OutcomeState::kBounced, Category::kInvalidDomain, domain.text, true};
        return;
    }
    const Site* site = lane.site;
    const auto expired = [&](const std::optional<WallTime>& since) {
        return since && lane.campaign->plan.retry.expired(*since, now.wall);
    };
    if (site != nullptr && expired(site->held_since())) {
        const SiteHold& hold = *site->some_hold();
        lane.sweep =
            Sweep{OutcomeState::kExpired,
                  hold.braked ? Category::kTemporary : Category::kReputation, hold.reason, false};
        return;
    }
    if (!expired(site != nullptr ? site->blocked_since : domain.blocked_since)) return;
    lane.sweep =
        Sweep{OutcomeState::kExpired, site != nullptr ? Category::kNetwork : domain.category,
              site != nullptr ? site->last_failure : domain.text, false};
}

// Gives every recipient of the lane its outcome, as fast as the journal takes them.
void Scheduler::sweep(Lane& lane, Now now) {
    while (lane.sendable() && unrecorded_ < limits_.sweep_in_flight_max) {
        const std::vector<Recipient> taken = lane.take(1);
        const Recipient& recipient = taken.front();
        --rows_ahead_;
        RecordOutcome outcome{
            lane.id,  recipient, 0,    std::nullopt, lane.sweep->state, lane.sweep->category,
            now.wall, {},        false};
        if (recipient.previous() != nullptr) {
            outcome.first_lease = recipient.previous()->first_lease;
            if (outcome.category == Category::kNone)
                outcome.category = recipient.previous()->category;
        }
        if (!lane.sweep->text.empty()) {
            outcome.attempt =
                AttemptRecord{now.wall,
                              lane.site != nullptr ? Stage::kConnect : Stage::kDns,
                              lane.sweep->category,
                              lane.sweep->suppress ? Action::kSuppress : Action::kDrop,
                              Reply{0, std::nullopt, lane.sweep->text},
                              {},
                              {},
                              false};
            outcome.suppress = lane.sweep->suppress;
        }
        ++lane.in_flight;
        ++lane.campaign->in_flight;
        ++unrecorded_;
        ++journal_entries_;
        output_.journal.push_back(std::move(outcome));
    }
    if (lane.sendable() && lane.in_flight == 0) lanes_waiting_to_sweep_.push_back(lane.id);
    refill(lane, now);
}

// Suppressed since it was imported, or expired: no attempt is made, the outcome is recorded.
bool Scheduler::settle_without_attempt(Lane& lane, const Recipient& recipient, Now now) {
    const OutcomeRecord* previous = recipient.previous();
    RecordOutcome outcome{lane.id,         recipient, 0,  std::nullopt, OutcomeState::kSuppressed,
                          Category::kNone, now.wall,  {}, false};
    if (is_suppressed(lane, recipient)) {
        // kSuppressed, as above
    } else if (previous != nullptr &&
               (lane.campaign->plan.retry.expired(previous->first_lease, now.wall) ||
                lane.campaign->plan.retry.exhausted(previous->attempts))) {
        outcome.state = OutcomeState::kExpired;
    } else {
        return false;
    }
    if (previous != nullptr) {
        outcome.category = previous->category;
        outcome.first_lease = previous->first_lease;
    }
    ++lane.in_flight;
    ++lane.campaign->in_flight;
    ++unrecorded_;
    ++journal_entries_;
    output_.journal.push_back(std::move(outcome));
    return true;
}

// Further off than any retry is put: the clock ran ahead when it was recorded, and was set back.
bool Scheduler::is_astray(const CampaignRun& run, WallTime due, Now now) const {
    return due > now.wall + std::max(run.plan.retry.longest_wait(), kHintedWaitMax) + kClockStepMin;
}

// When a lane that cannot be sent now is worth looking at again; nullopt: it is not blocked.
std::optional<Instant> Scheduler::blocked_until(const Lane& lane, Now now) const {
    if (lane.domain->held) return Instant::max();
    if (lane.site == nullptr) {
        if (lane.domain->resolving || lane.domain->retry_at <= now.instant) return std::nullopt;
        return lane.domain->retry_at;
    }
    const Site& site = *lane.site;
    if (const auto until = site.held_until(now.instant)) return until;
    if (!site.slots.empty() || site.retry_at <= now.instant) return std::nullopt;
    return site.retry_at;
}

bool Scheduler::is_suppressed(const Lane& lane, const Recipient& recipient) const {
    if (recipient.suppressed()) return true;
    if (recently_suppressed_.empty()) return false;
    return recently_suppressed_.contains(
        hash64(std::string(recipient.local().substr(4)) + "@" + lane.id.domain));
}

void Scheduler::note_suppressed(std::string_view domain, std::string_view folded_local) {
    if (recently_suppressed_.size() >= limits_.recently_suppressed_max) {
        recently_suppressed_.clear();
        for (auto& [number, run] : campaigns_)
            unload(*run);  // read again, with the store's knowledge
    }
    recently_suppressed_.insert(hash64(std::string(folded_local) + "@" + std::string(domain)));
}

}  // namespace posthorn
