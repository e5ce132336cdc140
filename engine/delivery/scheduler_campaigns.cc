// The life of a campaign: its end, its pauses, and what operators say of it.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

constexpr std::uint32_t kRewalksMax = 10;  // more would never end

std::uint64_t settled(const Figures& figures) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : figures.by_state) sum += count;
    return sum;
}

std::uint64_t count_of(const Figures& figures, OutcomeState state) {
    return figures.by_state[static_cast<std::size_t>(state)];
}

}  // namespace

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
