#include "engine/delivery/scheduler.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

constexpr std::size_t kHungryAtATime = 16;  // each may ask for a page, which fills the room again

}  // namespace

void SchedulerOutput::clear() {
    reader.clear();
    journal.clear();
    senders.clear();
    resolver.clear();
    notices.clear();
}

std::size_t Scheduler::LaneHash::operator()(const LaneId& id) const {
    return static_cast<std::size_t>(hash64(id.domain, id.campaign));
}

Scheduler::Scheduler(DeliveryLimits limits, std::vector<Source> sources, std::uint32_t senders,
                     std::uint64_t next_lease, Random random)
    : limits_(limits),
      sources_(std::move(sources)),
      random_(random),
      next_lease_(next_lease),
      sessions_by_sender_(senders, 0) {
    CHECK(!sources_.empty() && senders > 0 && next_lease > 0);
}

Scheduler::~Scheduler() = default;

void Scheduler::campaign_added(CampaignPlan plan, const Figures& recorded, Now now) {
    const CampaignNumber number = plan.record.number;
    CHECK(!campaigns_.contains(number));
    auto run = std::make_unique<CampaignRun>(std::move(plan));
    run->figures = recorded;
    if (run->plan.throttle.all.rate) run->rate.emplace(*run->plan.throttle.all.rate);
    run->cancelling = run->plan.record.state == CampaignState::kCancelled;
    campaigns_.emplace(number, std::move(run));
    const CampaignPlan& added = campaigns_.at(number)->plan;
    if (!added.unready.empty() && added.record.state == CampaignState::kRunning)
        (void)pause(number, added.unready, now);
    follow_schedule(*campaigns_.at(number), now);
    count_active_time(*campaigns_.at(number), now);
    finish_if_done(*campaigns_.at(number), now);
}

void Scheduler::campaign_ready(CampaignNumber campaign, std::shared_ptr<const Renderer> renderer) {
    CampaignPlan& plan = campaigns_.at(campaign)->plan;
    plan.renderer = std::move(renderer);
    plan.unready.clear();
}

void Scheduler::reader_answered(ReaderAnswer answer, Now now) {
    const std::uint64_t number = std::visit([](const auto& a) { return a.ticket; }, answer);
    const auto ticket = tickets_.find(number);
    if (ticket == tickets_.end()) return;  // of a lane or campaign that was unloaded meanwhile
    const Ticket asked = ticket->second;
    tickets_.erase(ticket);
    if (const auto* failure = std::get_if<ReadFailed>(&answer)) {
        failed_ = true;
        output_.notices.push_back({Notice::Kind::kSiteTrouble, 0, failure->error.message});
        stop(now);
        return;
    }
    CampaignRun& run = *campaigns_.at(asked.lane.campaign);
    if (auto* lanes = std::get_if<LanesOpened>(&answer)) {
        run.lanes_ticket = 0;
        lanes_opened(run, *lanes, now);
    } else if (auto* deferred = std::get_if<DeferredLanes>(&answer)) {
        run.deferred_ticket = 0;
        deferred_listed(run, *deferred, now);
    } else {
        Lane& lane = *lanes_.at(asked.lane);
        CHECK(lane.ticket == number);
        lane.ticket = 0;
        rows_read(lane, asked.kind, std::get<RowsRead>(answer), now);
    }
}

void Scheduler::journal_reported(JournalReport report, Now now) {
    if (const auto* failure = std::get_if<JournalFailed>(&report)) {
        failed_ = true;
        output_.notices.push_back({Notice::Kind::kSiteTrouble, 0, failure->error.message});
        stop(now);
        return;
    }
    const auto& committed = std::get<JournalCommitted>(report);
    CHECK(committed.entries <= journal_entries_);
    journal_entries_ -= committed.entries;
    note_recorded(committed.entries, now);
    for (const CampaignFigures& figures : committed.figures)
        if (const auto run = campaigns_.find(figures.campaign); run != campaigns_.end())
            run->second->figures = figures.figures;
    for (const OutcomeRecorded& outcome : committed.outcomes) recorded(outcome);
    for (const CampaignFigures& figures : committed.figures)
        if (const auto run = campaigns_.find(figures.campaign); run != campaigns_.end()) {
            check_stop_if(*run->second, now);
            finish_if_done(*run->second, now);
        }
    room_was_made();
}

void Scheduler::sender_reported(SenderReport report, Now now) {
    if (auto* done = std::get_if<AttemptDone>(&report)) {
        attempt_done(*done, now);
    } else if (const auto* ready = std::get_if<SessionReady>(&report)) {
        session_ready(*ready, now);
    } else if (const auto* ending = std::get_if<SessionEnding>(&report)) {
        session_ending(*ending);
    } else if (const auto* failed = std::get_if<SessionFailed>(&report)) {
        session_failed(*failed, now);
    } else {
        session_closed(std::get<SessionClosed>(report), now);
    }
}

void Scheduler::deadline_passed(Now now) {
    follow_schedules(now);
    unpark_due(now);
    while (!site_wakes_.empty() && site_wakes_.top().first <= now.instant) {
        const auto site = sites_.find(site_wakes_.top().second);
        site_wakes_.pop();
        if (site == sites_.end()) continue;
        if (site->second->wake_at && *site->second->wake_at <= now.instant)
            site->second->wake_at.reset();
        touch(*site->second);
    }
    while (!domain_wakes_.empty() && domain_wakes_.top().first <= now.instant) {
        const auto domain = domains_.find(domain_wakes_.top().second);
        domain_wakes_.pop();
        if (domain == domains_.end()) continue;
        for (Lane* lane : domain->second->lanes) lanes_to_tend_.push_back(lane->id);
    }
    close_idle_sessions(now);
}

SchedulerOutput& Scheduler::settle(Now now) {
    if (now.wall + kClockStepMin < latest_wall_) unpark_all(0, {}, false, now);
    latest_wall_ = now.wall;
    // Tending lanes makes sites dirty, pumping sites leaves lanes to tend: both shrink, so this
    // ends. A lane that is closed makes room for the walk, which therefore comes last as well.
    while (true) {
        for (const auto& [number, run] : campaigns_) {
            walk(*run);
            if (!run->open) finish_if_done(*run, now);  // its last replies came after a window
        }
        while (!hungry_lanes_.empty() && rows_ahead_ < limits_.rows_ahead_max &&
               lanes_to_tend_.size() < kHungryAtATime) {
            lanes_to_tend_.push_back(std::move(hungry_lanes_.front()));
            hungry_lanes_.pop_front();
        }
        if (lanes_to_tend_.empty() && dirty_sites_.empty()) break;
        const std::vector<LaneId> tending = std::exchange(lanes_to_tend_, {});
        for (const LaneId& id : tending)
            if (const auto lane = lanes_.find(id); lane != lanes_.end()) tend(*lane->second, now);
        const std::vector<Site*> pumping = std::exchange(dirty_sites_, {});
        for (Site* site : pumping) {
            site->dirty = false;
            pump(*site, now);
        }
        for (Site* site : pumping)
            if (!site->dirty) forget_site_if_unused(*site, now);
    }
    record_tls_results(now);
    note_sent_to_journal(now);
    return output_;
}

void Scheduler::note_sent_to_journal(Now now) {
    const std::uint64_t last = entries_recorded_ + journal_entries_;
    if (journal_entries_ > 0 && (sent_to_journal_.empty() || sent_to_journal_.back().first < last))
        sent_to_journal_.emplace_back(last, now.instant);
}

void Scheduler::note_recorded(std::uint64_t entries, Now now) {
    entries_recorded_ += entries;
    journal_lag_ -= journal_lag_ / 8;
    while (!sent_to_journal_.empty() && sent_to_journal_.front().first <= entries_recorded_) {
        journal_lag_ =
            std::max<Duration>(journal_lag_, now.instant - sent_to_journal_.front().second);
        sent_to_journal_.pop_front();
    }
}

std::optional<Instant> Scheduler::deadline(Now now) const {
    std::optional<Instant> earliest;
    const auto consider = [&](Instant at) {
        if (!earliest || at < *earliest) earliest = at;
    };
    if (!site_wakes_.empty()) consider(site_wakes_.top().first);
    if (!domain_wakes_.empty()) consider(domain_wakes_.top().first);
    if (!slots_.empty()) consider(next_idle_check_);
    if (const auto due = tls_results_.due(); due && !failed_) consider(*due);
    if (const auto change = next_schedule_change(); change && !stopping_)
        consider(now.instant +
                 std::clamp<Duration>(*change - now.wall, Duration(0), std::chrono::seconds(1)));
    if (!parked_.empty() && !stopping_ && lanes_.size() < limits_.lanes_open_max) {
        // The wall clock may jump: look again at least every second while something waits for it.
        const Duration wait = std::max(Duration(0), parked_.top().wake - now.wall);
        consider(now.instant + std::min<Duration>(wait, std::chrono::seconds(1)));
    }
    return earliest;
}

void Scheduler::stop(Now now) {
    if (stopping_) return;
    stopping_ = true;
    for (auto& [number, run] : campaigns_) {
        if (run->plan.record.finished != WallTime() || !run->active_since) continue;
        count_active_time(*run, now);
        if (!failed_) put_campaign(*run);
    }
    for (auto& [id, slot] : slots_) close_slot(*slot);
}

bool Scheduler::stopped() const {
    if (!stopping_ || !slots_.empty()) return false;
    if (failed_) return true;  // what was not recorded never will be: the next start recovers it
    return leases_.empty() && journal_entries_ == 0 && output_.journal.empty();
}

const CampaignRun* Scheduler::campaign(CampaignNumber number) const {
    const auto run = campaigns_.find(number);
    return run == campaigns_.end() ? nullptr : run->second.get();
}

}  // namespace posthorn
