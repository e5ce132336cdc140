// When campaigns may be sent: before their time, and outside their windows, a campaign is unloaded
// as if it were paused, and walked again once it may go on.
#include <algorithm>

#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

SendingHours::Period period_of(const SendingSchedule& schedule, WallTime now) {
    if (schedule.send_at && now < *schedule.send_at) {
        if (schedule.hours == nullptr) return {false, *schedule.send_at};
        const SendingHours::Period at_first = schedule.hours->at(*schedule.send_at);
        return {false, at_first.open ? *schedule.send_at : at_first.until};
    }
    if (schedule.hours == nullptr) return {true, WallTime::max()};
    return schedule.hours->at(now);
}

// By how much a campaign that begins now is late.
Duration lateness(const SendingSchedule& schedule, WallTime now) {
    if (!schedule.send_at) return Duration(0);
    WallTime begin = *schedule.send_at;
    if (schedule.hours != nullptr) {
        const SendingHours::Period period = schedule.hours->at(begin);
        if (!period.open) begin = period.until;
    }
    return begin >= now ? Duration(0) : now - begin;
}

}  // namespace

void Scheduler::follow_schedule(CampaignRun& run, Now now) {
    const SendingHours::Period period = period_of(run.plan.schedule, now.wall);
    run.schedule_seen = now.wall;
    run.schedule_changes = period.until;
    if (run.open != period.open) {
        run.open = period.open;
        count_active_time(run, now);
        if (!run.open) unload(run);
    }
    if (!run.open || run.plan.record.started != WallTime() ||
        run.plan.record.state != CampaignState::kRunning)
        return;
    if (lateness(run.plan.schedule, now.wall) > run.plan.schedule.max_lateness) {
        (void)pause(run.number(), std::string(kLatePauseReason), now);
        return;
    }
    run.plan.record.started = now.wall;
    put_campaign(run);
}

// Also when the wall clock was put back.
void Scheduler::follow_schedules(Now now) {
    for (auto& [number, run] : campaigns_)
        if (run->plan.record.finished == WallTime() &&
            (now.wall >= run->schedule_changes || now.wall < run->schedule_seen))
            follow_schedule(*run, now);
}

std::optional<WallTime> Scheduler::next_schedule_change() const {
    std::optional<WallTime> earliest;
    for (const auto& [number, run] : campaigns_) {
        if (run->plan.record.finished != WallTime() || run->schedule_changes == WallTime::max())
            continue;
        if (!earliest || run->schedule_changes < *earliest) earliest = run->schedule_changes;
    }
    return earliest;
}

Status Scheduler::set_schedule(CampaignNumber campaign, const SendingSchedule& schedule, Now now) {
    const auto found = campaigns_.find(campaign);
    if (found == campaigns_.end()) return Error{ErrorKind::kNotFound, "there is no such campaign"};
    found->second->plan.schedule = schedule;
    follow_schedule(*found->second, now);
    return {};
}

}  // namespace posthorn
