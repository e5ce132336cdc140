// The walk over a campaign's lanes, largest first, and the cursor that lets a restart go on from
// there.
#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

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
        const auto open = lanes_.find(id);
        Lane& lane = open != lanes_.end() ? *open->second : open_lane(run, id.domain);
        if (lane.fresh_complete) lane.fresh_complete = lane.sent = false;  // woke for its retries
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
        if (head.count > 0) lane.fresh_after = lane.fresh.back().position();
        lane.sent = false;
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
    for (auto& [domain, recorded] : answer.lanes) {
        const WallTime due = is_astray(run, recorded, now) ? now.wall : recorded;
        if (const auto open = lanes_.find({run.number(), domain}); open != lanes_.end()) {
            Lane& lane = *open->second;
            lane.next_due = lane.next_due ? std::min(*lane.next_due, due) : due;
            lanes_to_tend_.push_back(lane.id);
            continue;
        }
        parked_.push(
            {run.cancelling ? WallTime() : due, run.number(), 0, true, false, std::move(domain)});
        ++run.lanes_parked;
    }
    run.deferred_after = answer.next_after;
    run.deferred_complete = answer.complete;
    unpark_due(now);
    finish_if_done(run, now);
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

// state/cursor/campaign: string(lane order key) string(domain)*: all lanes up to the key are sent,
// except those named. After a restart the walk goes on from there.
void Scheduler::record_cursor(CampaignRun& run) {
    run.lanes_since_cursor = 0;
    std::size_t stragglers = run.unsent_parked.size();
    std::map<std::uint32_t, std::uint32_t> open;  // by batch
    for (const auto& [id, lane] : lanes_)
        if (lane->campaign == &run) ++open[lane->batch];
    const CampaignRun::Batch* reached = nullptr;
    for (const CampaignRun::Batch& batch : run.batches) {
        if (stragglers + batch.unsent > limits_.stragglers_max) break;
        if (open[batch.number] < batch.unsent) break;  // one is parked, without a name
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

}  // namespace posthorn
