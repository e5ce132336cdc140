// Lanes: walking the lane order, reading ahead, parking what has to wait, finishing.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/hash.h"
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

void Scheduler::walk(CampaignRun& run) {
    if (stopping_) return;
    if (run.draining) {
        if (run.lanes_open > 0) return;
        run.draining = false;
    }
    if (!run.granting() && !run.cancelling) return;
    while (!run.stragglers.empty() && lanes_.size() < limits_.lanes_open_max) {
        const LaneId id{run.number(), std::move(run.stragglers.front())};
        run.stragglers.pop_front();
        if (lanes_.contains(id)) continue;
        Lane& lane = open_lane(run, id.domain);
        run.unsent_parked.insert(id.domain);
        lane.next_due = WallTime();
        lanes_to_tend_.push_back(id);
    }
    if (!run.lanes_complete && run.lanes_ticket == 0 && lanes_.size() < limits_.lanes_open_max &&
        rows_ahead_ < limits_.rows_ahead_max) {
        run.lanes_ticket = new_ticket(TicketKind::kLanes, {run.number(), {}});
        rows_ahead_ += limits_.rows_per_sweep;
        output_.reader.push_back(OpenLanes{run.lanes_ticket, run.number(), run.lane_after,
                                           limits_.lanes_per_read, limits_.rows_per_sweep,
                                           limits_.rows_per_small_lane});
    }
    if (!run.deferred_complete && run.deferred_ticket == 0) {
        run.deferred_ticket = new_ticket(TicketKind::kDeferred, {run.number(), {}});
        output_.reader.push_back(ListDeferredLanes{run.deferred_ticket, run.number(),
                                                   run.deferred_after, limits_.lanes_per_read});
    }
}

void Scheduler::lanes_opened(CampaignRun& run, LanesOpened& answer, Now now) {
    rows_ahead_ -= limits_.rows_per_sweep;
    if (run.draining) return;
    CampaignRun::Batch batch{answer.next_after, ++run.batches_opened, 0};
    for (const LaneHead& head : answer.lanes) {
        const LaneId id{run.number(), head.domain};
        const auto open = lanes_.find(id);
        Lane& lane = open != lanes_.end() ? *open->second : open_lane(run, head.domain);
        lane.recipients = head.recipients;
        lanes_to_tend_.push_back(id);
        if (!lane.next_due) lane.next_due = WallTime();  // there may be some from an earlier run
        if (run.unsent_parked.contains(head.domain)) continue;  // a straggler reads for itself
        for (std::uint32_t i = 0; i < head.count; ++i)
            lane.fresh.emplace_back(answer.page, head.first + i);
        rows_ahead_ += head.count;
        if (head.count > 0) lane.fresh_after = lane.fresh.back().local();
        lane.fresh_complete = head.complete;
        lane.batch = batch.number;
        ++batch.unsent;
    }
    run.batches.push_back(std::move(batch));
    run.lane_after = answer.next_after;
    run.lanes_complete = answer.complete;
    finish_if_done(run, now);
}

void Scheduler::deferred_listed(CampaignRun& run, DeferredLanes& answer, Now now) {
    if (run.draining) return;
    for (auto& [domain, due] : answer.lanes) {
        if (const auto open = lanes_.find({run.number(), domain}); open != lanes_.end()) {
            Lane& lane = *open->second;
            lane.next_due = lane.next_due ? std::min(*lane.next_due, due) : due;
            lanes_to_tend_.push_back(lane.id);
            continue;
        }
        parked_.push({run.cancelling ? WallTime() : due, run.number(), 0, true, std::move(domain)});
        ++run.lanes_parked;
    }
    run.deferred_after = answer.next_after;
    run.deferred_complete = answer.complete;
    unpark_due(now);
    finish_if_done(run, now);
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
        if (count > 0) lane.fresh_after = queue.back().local();
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
    if (answer.next_due) {
        lane.next_due = lane.next_due ? std::min(*lane.next_due, *answer.next_due) : answer.next_due;
    }
}

Lane& Scheduler::open_lane(CampaignRun& run, const std::string& domain) {
    LaneId id{run.number(), domain};
    auto lane = std::make_unique<Lane>(id, run);
    const auto& limits = run.plan.throttle.per_domain;
    if (const auto limit = limits.find(domain); limit != limits.end()) {
        if (limit->second.rate) lane->rate.emplace(*limit->second.rate);
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
        leave_batch(lane);
        run.unsent_parked.insert(lane.id.domain);
    }
    parked_.push({wake, run.number(), lane.batch, !unsent, lane.id.domain});
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
        if (open == lanes_.end()) {
            lane.fresh_complete = parked.fresh_complete;
            lane.batch = parked.batch;
        }
        lane.next_due = WallTime();
        lanes_to_tend_.push_back(id);
    }
}

void Scheduler::unpark_all(CampaignNumber campaign, const std::string& domain, Now now) {
    std::vector<Parked> all;
    all.reserve(parked_.size());
    while (!parked_.empty()) {
        all.push_back(parked_.top());
        parked_.pop();
    }
    for (Parked& parked : all) {
        const bool wanted = (campaign == 0 || parked.campaign == campaign) &&
                            (domain.empty() || parked.domain == domain);
        if (wanted) parked.wake = std::min(parked.wake, now.wall);
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
        lane.next_due = lane.next_due ? std::min(*lane.next_due, *lane.due_behind) : lane.due_behind;
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
    if (!lane.idle() || lane.hungry) return;
    if (!lane.sendable() && lane.fresh_complete) {
        if (lane.next_due) {
            park(lane, *lane.next_due);
        } else {
            close_lane(lane);
            finish_if_done(run, now);
        }
    } else if (const auto blocked = blocked_until(lane, now); blocked && !lane.sweep) {
        if (*blocked == Instant::max()) {
            park(lane, kNever);
        } else if (*blocked - now.instant >= std::chrono::seconds(1)) {
            park(lane, now.wall + (*blocked - now.instant));
        }
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
        !lane.fresh_complete && lane.fresh.size() < limits_.rows_per_read / 2;
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
        output_.reader.push_back(ReadDue{lane.ticket, lane.id, until,
                                         lane.due_after, lane.due_after_local,
                                         limits_.rows_per_read});
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
    const auto since = site != nullptr ? site->blocked_since : domain.blocked_since;
    if (!since || !lane.campaign->plan.retry.expired(*since, now.wall)) return;
    lane.sweep = Sweep{OutcomeState::kExpired,
                       site != nullptr ? Category::kNetwork : domain.category,
                       site != nullptr ? site->last_failure : domain.text, false};
}

// Gives every recipient of the lane its outcome, as fast as the journal takes them.
void Scheduler::sweep(Lane& lane, Now now) {
    while (lane.sendable() && unrecorded_ < limits_.sweep_in_flight_max) {
        const std::vector<Recipient> taken = lane.take(1);
        const Recipient& recipient = taken.front();
        --rows_ahead_;
        RecordOutcome outcome{lane.id, recipient,          0,          std::nullopt,
                              lane.sweep->state, lane.sweep->category, now.wall, {}, false};
        if (recipient.previous() != nullptr) {
            outcome.first_lease = recipient.previous()->first_lease;
            if (outcome.category == Category::kNone) outcome.category = recipient.previous()->category;
        }
        if (!lane.sweep->text.empty()) {
            outcome.attempt = AttemptRecord{now.wall,
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
    refill(lane, now);
}

// Suppressed since it was imported, or expired: no attempt is made, the outcome is recorded.
bool Scheduler::settle_without_attempt(Lane& lane, const Recipient& recipient, Now now) {
    const OutcomeRecord* previous = recipient.previous();
    RecordOutcome outcome{lane.id, recipient, 0, std::nullopt, OutcomeState::kSuppressed,
                          Category::kNone, now.wall, {}, false};
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

// When a lane that cannot be sent now is worth looking at again; nullopt: it is not blocked.
std::optional<Instant> Scheduler::blocked_until(const Lane& lane, Now now) const {
    if (lane.domain->held) return Instant::max();
    if (lane.site == nullptr) {
        if (lane.domain->resolving || lane.domain->retry_at <= now.instant) return std::nullopt;
        return lane.domain->retry_at;
    }
    const Site& site = *lane.site;
    if (!site.slots.empty() || site.retry_at <= now.instant) return std::nullopt;
    return site.retry_at;
}

void Scheduler::leave_batch(Lane& lane) {
    if (lane.batch == 0) return;
    CampaignRun& run = *lane.campaign;
    for (CampaignRun::Batch& batch : run.batches)
        if (batch.number == lane.batch) --batch.unsent;
    lane.batch = 0;
    while (run.batches.size() > 1 && run.batches.front().unsent == 0 && run.batches[1].unsent == 0)
        run.batches.pop_front();
    if (++run.lanes_since_cursor >= limits_.cursor_every) record_cursor(run);
}

// state/cursor/campaign: string(lane order key) string(domain)*: all lanes up to the key are sent, except
// those named. After a restart the walk goes on from there.
void Scheduler::record_cursor(CampaignRun& run) {
    run.lanes_since_cursor = 0;
    std::size_t stragglers = run.unsent_parked.size();
    const CampaignRun::Batch* reached = nullptr;
    for (const CampaignRun::Batch& batch : run.batches) {
        if (stragglers + batch.unsent > limits_.stragglers_max) break;
        stragglers += batch.unsent;
        reached = &batch;
    }
    if (reached == nullptr) return;
    std::string value;
    put_string(value, reached->after);
    for (const std::string& domain : run.unsent_parked) put_string(value, domain);
    for (const auto& [id, lane] : lanes_)
        if (lane->campaign == &run && lane->batch != 0 && lane->batch <= reached->number)
            put_string(value, id.domain);
    std::string key;
    put_u32(key, run.number());
    output_.journal.push_back(PutState{"cursor", std::move(key), std::move(value)});
    ++journal_entries_;
}

void Scheduler::cursor_known(CampaignNumber campaign, std::string_view stored) {
    CampaignRun& run = *campaigns_.at(campaign);
    ByteReader in(stored);
    std::string after(in.string());
    std::deque<std::string> stragglers;
    while (in.ok() && !in.at_end()) stragglers.emplace_back(in.string());
    if (!in.ok()) return;  // unreadable: the walk starts at the head
    run.lane_after = std::move(after);
    run.stragglers = std::move(stragglers);
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
        for (auto& [number, run] : campaigns_) unload(*run);  // read again, with the store's knowledge
    }
    recently_suppressed_.insert(hash64(std::string(folded_local) + "@" + std::string(domain)));
}

}  // namespace posthorn
