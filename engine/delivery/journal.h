// The journal: all writes of delivery. Turns entries of the scheduler into one batch, makes it
// durable, and says what is now recorded. Keeps the figures: in memory as of the last commit, in
// the store as of the last checkpoint with the sequence of the event that they cover; the events
// since complete them.
//
//   state/figures/u32(campaign) := figures               state/checkpoint := u64(event sequence)
//   state/epoch              := u32(processes so far)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/delivery/messages.h"
#include "engine/queue/store.h"

namespace posthorn {

struct JournalRecovery {
    std::uint64_t next_lease = 1;  // greater than any ever used
    std::uint64_t leases = 0;      // that were open
    std::uint64_t uncertain = 0;   // recipients in them without an outcome
    std::uint64_t events_replayed = 0;
};

class Journal {
  public:
    // Brings figures up to date and settles the leases that an earlier process left open: what has
    // no outcome in them may have been delivered. hold: whether a campaign holds such recipients or
    // sends again.
    static Result<std::unique_ptr<Journal>> open(Store& store, WallTime now,
                                                 const std::function<bool(CampaignNumber)>& hold);

    const JournalRecovery& recovery() const { return recovery_; }

    // Durable when it returns. An error is final: call nothing else.
    Result<JournalCommitted> commit(std::span<const JournalEntry> entries, WallTime now);

    // Writes the figures down, so that the next open has nothing to replay.
    Status checkpoint();

    Figures figures(CampaignNumber campaign) const;  // as of the last commit

  private:
    struct OpenLease {
        std::shared_ptr<const Lease> lease;
        std::vector<bool> accounted;  // by index in the lease
        std::uint32_t remaining = 0;
        bool changed = false;  // some came back: the record is to be written again
    };

    struct LaneChange {
        Figures added;     // differences, modulo 2^64
        std::string mark;  // empty: as it was
    };

    explicit Journal(Store& store) : store_(store) {}

    Status recover(WallTime now, const std::function<bool(CampaignNumber)>& hold);
    Status load_figures();
    Status replay_events();
    Status settle_open_leases(WallTime now, const std::function<bool(CampaignNumber)>& hold);
    void settle_uncertain(std::uint64_t sequence, const LeaseRecord& lease,
                          const std::string& local, bool hold,
                          std::optional<OutcomeRecord> previous, WallTime now);

    void apply(const GrantLease& entry, JournalCommitted& report);
    void apply(const RecordOutcome& entry, JournalCommitted& report);
    void apply(const RecordReturned& entry, JournalCommitted& report);
    void apply(const RecordMark& entry, JournalCommitted& report);
    void apply(const PutCampaign& entry, JournalCommitted& report);
    void apply(const PutState& entry, JournalCommitted& report);
    void apply(const QuarantineSuppressions& entry, JournalCommitted& report);

    void put_outcome(const LaneId& lane, std::string_view local, const OutcomeRecord* before,
                     const OutcomeRecord& after, bool attempted);
    void put_lease(std::uint64_t sequence, const OpenLease& open);
    void suppress(const RecordOutcome& entry);
    std::string id_of(CampaignNumber campaign);
    bool account(std::uint64_t sequence, std::string_view local);  // true: the lease goes on
    void rewrite_changed_leases();
    void count(const EventRecord& event);
    Status add_checkpoint();
    std::uint64_t next_event(WallTime now);

    Store& store_;
    JournalRecovery recovery_;
    WriteBatch batch_;
    WallTime now_;
    std::uint64_t last_event_ = 0;
    std::uint64_t events_since_checkpoint_ = 0;
    std::map<CampaignNumber, Figures> figures_;
    std::set<CampaignNumber> touched_;
    std::map<CampaignNumber, std::string> ids_;
    std::unordered_map<std::string, LaneChange> lane_changes_;  // by lane key, since the checkpoint
    std::unordered_map<std::uint64_t, OpenLease> open_leases_;
    std::vector<std::uint64_t> changed_leases_;
    std::unordered_map<std::string, SuppressionRecord> suppressed_;  // in this batch, by key
    std::string key_, value_;                                        // reused
};

}  // namespace posthorn
