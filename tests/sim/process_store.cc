// A process and its store: group commits, pages read ahead, names; and the bounds of its mailboxes.
#include <algorithm>

#include "engine/base/check.h"
#include "tests/sim/internet.h"
#include "tests/sim/process.h"

namespace posthorn::sim {

void Process::commit(std::size_t) {
    committing_ = std::exchange(entries_, {});
    auto report = journal_->commit(committing_, scene_.agenda.now().wall);
    if (!report) {  // the store has failed another's write before
        commit_planned_ = false;
        return fail(report.error());
    }
    commit_report_ = std::move(*report);
    if (scene_.passed(CrashPoint::kBeforeSync)) return;
    after(scene_.drawn(scene_.knobs.sync_max), &Process::committed, 0);
}

void Process::committed(std::size_t) {
    commit_planned_ = false;
    if (const Status synced = scene_.store.sync(); !synced) return fail(synced.error());
    scene_.note("commit", committing_.size());
    if (scene_.passed(CrashPoint::kAfterSync)) return;
    for (const JournalEntry& entry : committing_)
        if (const auto* grant = std::get_if<GrantLease>(&entry))
            post_order(grant->sender, SenderOrder(grant->lease));
    committing_.clear();
    if (!entries_.empty()) {
        commit_planned_ = true;
        after(scene_.knobs.linger, &Process::commit, 0);
    }
    post_report(std::move(*commit_report_));
}

void Process::fail(const Error& error) {
    failed_ = true;
    scene_.coverage.met("fault sync failed");
    scene_.note("sync failed", life_);
    post_report(JournalFailed{error});
}

void Process::post_report(JournalReport report) {
    reports_.push_back(std::move(report));
    if (!std::exchange(reports_planned_, true))
        after(scene_.drawn(scene_.knobs.mailbox_max), &Process::report_commits, 0);
}

void Process::report_commits(std::size_t) {
    reports_planned_ = false;
    for (JournalReport& report : std::exchange(reports_, {}))
        scheduler_->journal_reported(std::move(report), scene_.agenda.now());
    unsettled_ = true;
}

// What the store holds at this moment is what the scheduler hears of later.
void Process::answer(std::size_t) {
    answers_.push_back(Reader(scene_.store).answer(requests_.front()));
    requests_.pop_front();
    reading_ = !requests_.empty();
    if (reading_) after(scene_.drawn(scene_.knobs.read_max), &Process::answer, 0);
    if (!std::exchange(answering_, true))
        after(scene_.drawn(scene_.knobs.mailbox_max), &Process::deliver_answers, 0);
}

void Process::deliver_answers(std::size_t) {
    answering_ = false;
    for (ReaderAnswer& answer : std::exchange(answers_, {}))
        scheduler_->reader_answered(std::move(answer), scene_.agenda.now());
    unsettled_ = true;
}

void Process::resolve(const std::string& domain) {
    scheduler_->domain_resolved({domain, internet_.resolve(domain)}, scene_.agenda.now());
    unsettled_ = true;
}

// Checker j.
void Process::check_bounds() {
    const DeliveryLimits& limits = scene_.knobs.limits;
    const StatusView status = scheduler_->status(scene_.agenda.now());
    const auto within = [&](std::uint64_t value, std::uint64_t most, const char* what) {
        if (value > most)
            scene_.books.fail('j', std::to_string(value) + " " + what + ", and " +
                                       std::to_string(most) + " are allowed");
    };
    const std::uint64_t reads = scene_.knobs.campaigns.size() * limits.lanes_per_read;
    within(status.sessions, limits.connections_max, "sessions");
    within(status.in_flight, limits.in_flight_max + limits.lease_recipients_max,
           "recipients in flight");
    within(status.lanes_open, limits.lanes_open_max + reads, "lanes open");
    // What is in flight may come back.
    within(status.rows_ahead,
           2 * limits.rows_ahead_max + limits.rows_per_read + limits.in_flight_max +
               limits.lease_recipients_max +
               scene_.knobs.campaigns.size() *
                   (limits.rows_per_sweep + std::uint64_t{limits.rows_per_small_lane}),
           "rows read ahead");
    // The mailboxes are as large as the runtime makes them, less its margin.
    const std::uint64_t mailbox =
        8 * (std::uint64_t{limits.in_flight_max} + limits.sweep_in_flight_max +
             limits.connections_max + limits.lanes_open_max) +
        1000;
    within(entries_.size(), mailbox, "entries waiting for the journal");
    for (const SenderBox& box : senders_) {
        within(box.orders.size(), mailbox, "orders waiting for a sender");
        within(box.reports.size(), mailbox, "reports waiting for the scheduler");
    }
    within(requests_.size() + answers_.size(), mailbox, "pages on their way");
}

}  // namespace posthorn::sim
