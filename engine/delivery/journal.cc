#include "engine/delivery/journal.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

const std::string kOfCampaign = "campaign:";            // the source of a suppression by delivery
constexpr std::uint64_t kEventsPerCheckpoint = 20'000;  // what an open replays at most, nearly

// Whether a state's category is counted in Figures::by_category.
bool counts_category(OutcomeState state) {
    return state == OutcomeState::kBounced || state == OutcomeState::kExpired ||
           state == OutcomeState::kDeferred;
}

void add(Figures& figures, const EventRecord& event) {
    const auto state = [](OutcomeState s) { return static_cast<std::size_t>(s); };
    const auto category = [](Category c) { return static_cast<std::size_t>(c); };
    if (event.before != OutcomeState::kPending) --figures.by_state[state(event.before)];
    ++figures.by_state[state(event.after)];
    if (counts_category(event.before)) --figures.by_category[category(event.category_before)];
    if (counts_category(event.after)) ++figures.by_category[category(event.category)];
    if (event.type == EventType::kAttempt) ++figures.attempts;
    if (event.possible_duplicate) ++figures.possible_duplicates;
}

void add(Figures& figures, const Figures& change) {
    for (std::size_t i = 0; i < figures.by_state.size(); ++i)
        figures.by_state[i] += change.by_state[i];
    for (std::size_t i = 0; i < figures.by_category.size(); ++i)
        figures.by_category[i] += change.by_category[i];
    figures.attempts += change.attempts;
    figures.possible_duplicates += change.possible_duplicates;
}

}  // namespace

Figures Journal::figures(CampaignNumber campaign) const {
    const auto found = figures_.find(campaign);
    return found == figures_.end() ? Figures{} : found->second;
}

Result<JournalCommitted> Journal::commit(std::span<const JournalEntry> entries, WallTime now) {
    now_ = now;
    batch_.clear();
    suppressed_.clear();
    touched_.clear();
    JournalCommitted report;
    report.entries = entries.size();
    for (const JournalEntry& entry : entries)
        std::visit([&](const auto& e) { apply(e, report); }, entry);
    rewrite_changed_leases();
    if (events_since_checkpoint_ >= kEventsPerCheckpoint) RETURN_IF_ERROR(add_checkpoint());
    if (!batch_.empty()) RETURN_IF_ERROR(store_.write(batch_));
    for (const CampaignNumber campaign : touched_)
        report.figures.push_back({campaign, figures_[campaign]});
    return report;
}

void Journal::apply(const GrantLease& entry, JournalCommitted&) {
    OpenLease open{entry.lease, std::vector<bool>(entry.lease->recipients.size(), false),
                   static_cast<std::uint32_t>(entry.lease->recipients.size()), false};
    put_lease(entry.lease->sequence, open);
    open_leases_.emplace(entry.lease->sequence, std::move(open));
}

void Journal::put_lease(std::uint64_t sequence, const OpenLease& open) {
    LeaseRecord record{open.lease->lane, open.lease->time, open.lease->source, {}};
    for (std::size_t i = 0; i < open.accounted.size(); ++i)
        if (!open.accounted[i]) record.locals.emplace_back(open.lease->recipients[i].local());
    batch_.put(Family::kLease, sequence_key(sequence), encode(record));
}

bool Journal::account(std::uint64_t sequence, std::string_view local) {
    const auto found = open_leases_.find(sequence);
    CHECK(found != open_leases_.end());
    OpenLease& open = found->second;
    std::size_t index = 0;
    while (open.accounted[index] || open.lease->recipients[index].local() != local) {
        ++index;
        CHECK(index < open.accounted.size());
    }
    open.accounted[index] = true;
    if (--open.remaining > 0) return true;
    batch_.erase(Family::kLease, sequence_key(sequence));
    open_leases_.erase(found);
    return false;
}

void Journal::apply(const RecordReturned& entry, JournalCommitted&) {
    if (!account(entry.lease, entry.recipient.local())) return;
    OpenLease& open = open_leases_.at(entry.lease);
    if (!open.changed) changed_leases_.push_back(entry.lease);
    open.changed = true;
}

// A recipient that came back is no longer in the lease, should the process end now.
void Journal::rewrite_changed_leases() {
    for (const std::uint64_t sequence : changed_leases_) {
        const auto found = open_leases_.find(sequence);
        if (found == open_leases_.end()) continue;
        found->second.changed = false;
        put_lease(sequence, found->second);
    }
    changed_leases_.clear();
}

void Journal::apply(const RecordOutcome& entry, JournalCommitted& report) {
    const OutcomeRecord* before = entry.recipient.previous();
    OutcomeRecord after;
    if (before != nullptr) {
        after.attempts = before->attempts;
        after.possible_duplicates = before->possible_duplicates;
        after.lease = before->lease;
        after.latest = before->latest;
    }
    after.state = entry.state;
    after.category = entry.category;
    after.first_lease = entry.first_lease;
    if (entry.state == OutcomeState::kDeferred) after.next_due = entry.next_due;
    if (entry.lease != 0) {
        ++after.attempts;
        after.lease = entry.lease;
        if (before != nullptr && !before->latest.empty() && before->latest.back().uncertain)
            ++after.possible_duplicates;
        account(entry.lease, entry.recipient.local());
    }
    if (entry.attempt) {
        if (after.latest.size() == kAttemptsKept) after.latest.erase(after.latest.begin());
        after.latest.push_back(*entry.attempt);
    }
    put_outcome(entry.lane, entry.recipient.local(), before, after, entry.lease != 0);
    if (entry.suppress) suppress(entry);
    report.outcomes.push_back({entry.lane, entry.lease, entry.state, entry.next_due});
}

void Journal::put_outcome(const LaneId& lane, std::string_view local, const OutcomeRecord* before,
                          const OutcomeRecord& after, bool attempted) {
    if (before != nullptr && before->state == OutcomeState::kDeferred)
        batch_.erase(Family::kRetry, retry_key(lane, before->next_due, local));
    if (after.state == OutcomeState::kDeferred)
        batch_.put(Family::kRetry, retry_key(lane, after.next_due, local), {});
    key_.clear();
    append_audience_key(key_, lane, local);
    value_.clear();
    append_record(value_, after);
    batch_.put(Family::kOutcome, key_, value_);

    EventRecord event;
    event.time = now_;
    event.type = attempted ? EventType::kAttempt : EventType::kOutcome;
    event.lane = lane;
    event.local = local;
    event.before = before != nullptr ? before->state : OutcomeState::kPending;
    event.category_before = before != nullptr ? before->category : Category::kNone;
    event.after = after.state;
    event.category = after.category;
    event.attempt = attempted ? after.attempts : 0;
    event.possible_duplicate =
        after.possible_duplicates > (before != nullptr ? before->possible_duplicates : 0);
    const std::uint64_t sequence = next_event(now_);
    value_.clear();
    append_event(value_, event, sequence);
    batch_.put(Family::kEvent, sequence_key(sequence), value_);
    count(event);
}

// Strictly ascending, and near the time in microseconds.
std::uint64_t Journal::next_event(WallTime now) {
    last_event_ = std::max(last_event_ + 1, static_cast<std::uint64_t>(to_micros(now)));
    ++events_since_checkpoint_;
    return last_event_;
}

void Journal::count(const EventRecord& event) {
    add(figures_[event.lane.campaign], event);
    touched_.insert(event.lane.campaign);
    add(lane_changes_[lane_key(event.lane)].added, event);
}

void Journal::suppress(const RecordOutcome& entry) {
    const std::string address =
        std::string(entry.recipient.local().substr(4)) + "@" + entry.lane.domain;
    const std::string key = suppression_key({}, address);
    // What was there stays: undoing this campaign's suppressions must not undo an unsubscription.
    const auto present = store_.get(Family::kSuppression, key);
    if (suppressed_.contains(key) || (present && *present)) return;
    const bool doubted = !entry.quarantine.empty();
    SuppressionRecord record{address, std::string(name_of(entry.category)),
                             doubted ? entry.quarantine : kOfCampaign + id_of(entry.lane.campaign),
                             now_, doubted};
    batch_.put(Family::kSuppression, key, encode(record));
    suppressed_.emplace(key, std::move(record));
}

// What somebody else had suppressed before stays in force.
void Journal::apply(const QuarantineSuppressions& entry, JournalCommitted&) {
    for (const auto& [domain, local] : entry.addresses) {
        const std::string key = suppression_key({}, local + "@" + domain);
        std::optional<SuppressionRecord> record;
        if (const auto fresh = suppressed_.find(key); fresh != suppressed_.end()) {
            record = fresh->second;
        } else if (const auto stored = store_.get(Family::kSuppression, key); stored && *stored) {
            if (auto decoded = decode_suppression(**stored)) record = std::move(*decoded);
        }
        if (!record || !record->source.starts_with(kOfCampaign)) continue;
        record->quarantined = true;
        record->source = entry.source;
        batch_.put(Family::kSuppression, key, encode(*record));
    }
}

// Campaigns may be stored by others while the journal is open.
std::string Journal::id_of(CampaignNumber campaign) {
    const auto known = ids_.find(campaign);
    if (known != ids_.end()) return known->second;
    const auto stored = store_.get(Family::kCampaign, campaign_number_key(campaign));
    if (!stored || !*stored) return std::to_string(campaign);
    const auto record = decode_campaign(**stored);
    if (!record) return std::to_string(campaign);
    return ids_[campaign] = record->id;
}

void Journal::apply(const RecordMark& entry, JournalCommitted&) {
    lane_changes_[lane_key(entry.lane)].mark = entry.local;
}

void Journal::apply(const PutCampaign& entry, JournalCommitted&) {
    ids_[entry.campaign.number] = entry.campaign.id;
    batch_.put(Family::kCampaign, campaign_number_key(entry.campaign.number),
               encode(entry.campaign));
}

void Journal::apply(const PutState& entry, JournalCommitted&) {
    const std::string key = state_key(entry.kind, entry.key);
    if (entry.value) {
        batch_.put(Family::kState, key, *entry.value);
    } else {
        batch_.erase(Family::kState, key);
    }
}

Status Journal::add_checkpoint() {
    for (const auto& [key, change] : lane_changes_) {
        const auto stored = store_.get(Family::kLane, key);
        if (!stored) return stored.error();
        if (!*stored) continue;  // purged meanwhile
        auto lane = decode_lane(**stored);
        if (!lane) return lane.error();
        add(lane->figures, change.added);
        if (!change.mark.empty()) lane->mark = change.mark;
        batch_.put(Family::kLane, key, encode(*lane));
    }
    lane_changes_.clear();
    for (const auto& [campaign, figures] : figures_) {
        std::string key;
        put_u32(key, campaign);
        batch_.put(Family::kState, state_key("figures", key), encode(figures));
    }
    std::string sequence;
    put_u64(sequence, last_event_);
    batch_.put(Family::kState, state_key("checkpoint", {}), sequence);
    events_since_checkpoint_ = 0;
    return {};
}

Status Journal::checkpoint() {
    batch_.clear();
    RETURN_IF_ERROR(add_checkpoint());
    return store_.write(batch_);
}

}  // namespace posthorn
