// The store of a world of scale: who has an outcome, who is deferred until when; pages of it; and
// names.
#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "tests/sim/scale_world.h"

namespace posthorn::sim {

namespace {

std::string local_of(std::uint32_t index) {
    std::string local;
    put_u32(local, index);
    local += 'r';
    local += std::to_string(index);
    return local;
}

std::uint32_t index_of(std::string_view local) { return ByteReader(local).u32(); }

void append_item(Page& page, std::uint32_t index) {
    Page::Item item;
    const std::string local = local_of(index);
    item.local_at = static_cast<std::uint32_t>(page.bytes.size());
    item.local_bytes = static_cast<std::uint16_t>(local.size());
    page.bytes += local;
    // What a row takes: address and two variables.
    item.row_at = static_cast<std::uint32_t>(page.bytes.size());
    item.row_bytes = 60;
    page.bytes.append(60, 'v');
    page.items.push_back(item);
}

}  // namespace

void ScaleWorld::commit() {
    committing_ = false;
    const std::vector<JournalEntry> entries = std::exchange(entries_, {});
    JournalCommitted report;
    report.entries = entries.size();
    for (const JournalEntry& entry : entries) {
        if (const auto* grant = std::get_if<GrantLease>(&entry)) {
            ++report_.leases;
            const auto& lease = grant->lease;
            if (sessions_.contains(lease->slot)) {
                post(Duration(0), Kind::kLease, lease->slot, 0, lease);
                continue;
            }
            for (std::uint32_t i = 0; i < lease->recipients.size(); ++i) {
                ++report_.returned;
                tell([&](Scheduler& scheduler) {
                    scheduler.sender_reported(
                        AttemptDone{lease->sequence, i, AttemptEnd::kReturned, false, {}, {}},
                        now_);
                });
            }
        } else if (const auto* outcome = std::get_if<RecordOutcome>(&entry)) {
            record(*outcome, report);
        } else if (const auto* put = std::get_if<PutCampaign>(&entry)) {
            plan_.record = put->campaign;
        }
    }
    report.figures.push_back({1, figures_});
    tell([&](Scheduler& scheduler) { scheduler.journal_reported(std::move(report), now_); });
}

void ScaleWorld::record(const RecordOutcome& outcome, JournalCommitted& report) {
    Lane& lane = lanes_[by_domain_.at(outcome.lane.domain)];
    const std::uint32_t index = index_of(outcome.recipient.local());
    const auto state = [&](OutcomeState of) -> std::uint64_t& {
        return figures_.by_state[static_cast<std::size_t>(of)];
    };
    Deferred before;
    if (const auto known = lane.deferred.find(index); known != lane.deferred.end()) {
        before = known->second;
        lane.due.erase({before.due, index});
        lane.deferred.erase(known);
        --state(OutcomeState::kDeferred);
    }
    lane.known[index] = true;
    ++state(outcome.state);
    if (outcome.state == OutcomeState::kDeferred) {
        ++report_.deferrals;
        lane.deferred[index] = {before.attempts + 1, outcome.first_lease, outcome.next_due};
        lane.due.emplace(outcome.next_due, index);
    }
    report_.delivered += outcome.state == OutcomeState::kDelivered;
    report_.bounced += outcome.state == OutcomeState::kBounced;
    report_.expired += outcome.state == OutcomeState::kExpired;
    report.outcomes.push_back({outcome.lane, outcome.lease, outcome.state, outcome.next_due});
}

void ScaleWorld::answer(const ReaderRequest& request) {
    // Pages live on in the scheduler's buffers: they are its memory.
    own_allocations(true);
    ReaderAnswer answer = std::visit([&](const auto& asked) { return read(asked); }, request);
    scheduler_->reader_answered(std::move(answer), now_);
    own_allocations(false);
    heard_ = true;
}

bool ScaleWorld::append_fresh(Page& page, const Lane& lane, std::uint32_t from, std::size_t most) {
    std::size_t count = 0;
    for (std::uint32_t i = from; i < lane.recipients; ++i) {
        if (lane.known[i]) continue;
        if (count++ == most) return false;
        append_item(page, i);
    }
    return true;
}

ReaderAnswer ScaleWorld::read(const OpenLanes& request) {
    LanesOpened answer{request.ticket, nullptr, {}, request.after, false};
    auto page = std::make_shared<Page>();
    std::uint32_t at = request.after.empty() ? 0 : index_of(request.after) + 1;
    for (; at < lanes_.size(); ++at) {
        if (answer.lanes.size() >= request.lanes_max || page->items.size() >= request.rows_max)
            break;
        const Lane& lane = lanes_[at];
        LaneHead head{lane.domain, lane.recipients, static_cast<std::uint32_t>(page->items.size()),
                      0, false};
        head.complete = append_fresh(*page, lane, 0, request.rows_per_lane_max);
        head.count = static_cast<std::uint32_t>(page->items.size()) - head.first;
        if (head.count > 0) answer.lanes.push_back(std::move(head));
        answer.next_after = local_of(at);
    }
    answer.complete = at == lanes_.size();
    answer.page = std::move(page);
    return answer;
}

ReaderAnswer ScaleWorld::read(const ReadFresh& request) {
    const Lane& lane = lanes_[by_domain_.at(request.lane.domain)];
    auto page = std::make_shared<Page>();
    const std::uint32_t from = request.after.empty() ? 0 : index_of(request.after) + 1;
    const bool complete = append_fresh(*page, lane, from, request.rows_max);
    return RowsRead{request.ticket, std::move(page), complete, {}};
}

ReaderAnswer ScaleWorld::read(const ReadDue& request) {
    const Lane& lane = lanes_[by_domain_.at(request.lane.domain)];
    auto page = std::make_shared<Page>();
    RowsRead answer{request.ticket, nullptr, true, {}};
    auto at = lane.due.begin();
    if (!request.after_local.empty())
        at = lane.due.upper_bound({request.after_due, index_of(request.after_local)});
    for (; at != lane.due.end(); ++at) {
        if (at->first > request.until) {
            answer.next_due = at->first;
            break;
        }
        if (page->items.size() >= request.rows_max) {
            answer.complete = false;
            break;
        }
        const Deferred& deferred = lane.deferred.at(at->second);
        append_item(*page, at->second);
        page->items.back().due = at->first;
        page->items.back().previous = static_cast<std::int32_t>(page->previous.size());
        OutcomeRecord& previous = page->previous.emplace_back();
        previous.attempts = deferred.attempts;
        previous.first_lease = deferred.first_lease;
        previous.next_due = deferred.due;
    }
    answer.page = std::move(page);
    return answer;
}

ReaderAnswer ScaleWorld::read(const ListDeferredLanes& request) {
    DeferredLanes answer;
    answer.ticket = request.ticket;
    answer.complete = true;
    return answer;
}

void ScaleWorld::resolve(const std::string& domain) {
    const Lane& lane = lanes_[by_domain_.at(domain)];
    DomainResolved answer{domain, {}};
    answer.hosts.verdict = DnsVerdict::kFound;
    answer.hosts.ttl = std::chrono::hours(1);
    answer.hosts.hosts.push_back({lane.host, 10, {*IpAddress::parse("10.0.0.1")}, {}});
    tell([&](Scheduler& scheduler) { scheduler.domain_resolved(std::move(answer), now_); });
}

}  // namespace posthorn::sim
