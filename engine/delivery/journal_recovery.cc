// What a journal does when it opens: figures from checkpoint and events, open leases to outcomes.
#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/delivery/journal.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

constexpr unsigned kLeaseBits = 40;  // leases of one process; the epoch stands above them

Result<std::uint64_t> stored_number(const Store& store, std::string_view kind) {
    const auto stored = store.get(Family::kState, state_key(kind, {}));
    if (!stored) return stored.error();
    if (!*stored) return std::uint64_t{0};
    ByteReader in(**stored);
    const std::uint64_t number = in.u64();
    if (!in.at_end())
        return Error{ErrorKind::kCorrupt,
                     "the store's '" + std::string(kind) + "' is not a number"};
    return number;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Store& store, WallTime now,
                                               const std::function<bool(CampaignNumber)>& hold) {
    std::unique_ptr<Journal> journal(new Journal(store));
    RETURN_IF_ERROR(journal->recover(now, hold));
    return journal;
}

Status Journal::recover(WallTime now, const std::function<bool(CampaignNumber)>& hold) {
    now_ = now;
    const auto epoch = stored_number(store_, "epoch");
    if (!epoch) return epoch.error();
    recovery_.next_lease = ((*epoch + 1) << kLeaseBits) | 1;
    RETURN_IF_ERROR(load_figures());
    RETURN_IF_ERROR(replay_events());
    batch_.clear();
    std::string next_epoch;
    put_u64(next_epoch, *epoch + 1);
    batch_.put(Family::kState, state_key("epoch", {}), next_epoch);
    RETURN_IF_ERROR(settle_open_leases(now, hold));
    RETURN_IF_ERROR(add_checkpoint());
    return store_.write(batch_);
}

Status Journal::load_figures() {
    const std::string prefix = state_prefix("figures");
    auto cursor = store_.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        ByteReader in(cursor->key().substr(prefix.size()));
        const CampaignNumber campaign = in.u32();
        auto figures = decode_figures(cursor->value());
        if (!figures) return figures.error();
        figures_[campaign] = *figures;
    }
    RETURN_IF_ERROR(cursor->status());
    auto campaigns =
        store_.cursor(Family::kCampaign, kCampaignNumberPrefix, prefix_end(kCampaignNumberPrefix));
    for (campaigns->seek(kCampaignNumberPrefix); campaigns->valid(); campaigns->next()) {
        const auto record = decode_campaign(campaigns->value());
        if (!record) return record.error();
        ids_[record->number] = record->id;
    }
    return campaigns->status();
}

Status Journal::replay_events() {
    const auto covered = stored_number(store_, "checkpoint");
    if (!covered) return covered.error();
    last_event_ = *covered;
    auto cursor = store_.cursor(Family::kEvent, {}, {});
    for (cursor->seek(sequence_key(*covered + 1)); cursor->valid(); cursor->next()) {
        const auto sequence = parse_sequence_key(cursor->key());
        if (!sequence) return Error{ErrorKind::kCorrupt, "a key in the event log is not one"};
        const auto event = decode_event(cursor->value(), *sequence);
        if (!event) return event.error();
        count(*event);
        last_event_ = *sequence;
        ++recovery_.events_replayed;
    }
    return cursor->status();
}

Status Journal::settle_open_leases(WallTime now, const std::function<bool(CampaignNumber)>& hold) {
    auto cursor = store_.cursor(Family::kLease, {}, {});
    for (cursor->seek({}); cursor->valid(); cursor->next()) {
        const auto sequence = parse_sequence_key(cursor->key());
        const auto lease = decode_lease(cursor->value());
        if (!sequence || !lease)
            return Error{ErrorKind::kCorrupt, "a record of a lease is unreadable"};
        ++recovery_.leases;
        recovery_.next_lease = std::max(recovery_.next_lease, *sequence + 1);
        const bool held = hold(lease->lane.campaign);
        for (const std::string& local : lease->locals) {
            const auto stored = store_.get(Family::kOutcome, audience_key(lease->lane, local));
            if (!stored) return stored.error();
            std::optional<OutcomeRecord> previous;
            if (*stored) {
                auto outcome = decode_outcome(**stored);
                if (!outcome) return outcome.error();
                if (outcome->lease == *sequence)
                    continue;  // recorded; others of the lease were not
                previous = std::move(*outcome);
            }
            settle_uncertain(*sequence, *lease, local, held, std::move(previous), now);
        }
        batch_.erase(Family::kLease, cursor->key());
    }
    return cursor->status();
}

void Journal::settle_uncertain(std::uint64_t sequence, const LeaseRecord& lease,
                               const std::string& local, bool hold,
                               std::optional<OutcomeRecord> previous, WallTime now) {
    ++recovery_.uncertain;
    OutcomeRecord after = previous ? *previous : OutcomeRecord{};
    if (!previous) after.first_lease = lease.time;
    if (previous && !previous->latest.empty() && previous->latest.back().uncertain)
        ++after.possible_duplicates;
    after.state = hold ? OutcomeState::kUncertain : OutcomeState::kDeferred;
    after.category = Category::kNetwork;
    after.next_due = hold ? WallTime() : now;
    after.lease = sequence;
    ++after.attempts;
    AttemptRecord attempt;
    attempt.time = now;
    attempt.stage = Stage::kDot;
    attempt.category = Category::kNetwork;
    attempt.action = Action::kRetry;
    attempt.reply.text = "the process ended while the message was in flight";
    attempt.source = lease.source;
    attempt.uncertain = true;
    if (after.latest.size() == kAttemptsKept) after.latest.erase(after.latest.begin());
    after.latest.push_back(std::move(attempt));
    put_outcome(lease.lane, local, previous ? &*previous : nullptr, after, true);
}

}  // namespace posthorn
