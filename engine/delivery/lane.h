// One open lane: the part of a campaign's audience in one domain that is being sent. Holds rows
// read ahead and knows what is in flight; decides nothing. Owned by the scheduler.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/rate_window.h"
#include "engine/delivery/messages.h"

namespace posthorn {

struct CampaignRun;
struct DomainState;
struct Site;

// What becomes of every recipient of a lane that is given up without attempts.
struct Sweep {
    OutcomeState state = OutcomeState::kCancelled;
    Category category = Category::kNone;
    std::string text;  // why, for the record; empty: no attempt is recorded
    bool suppress = false;
};

struct Lane {
    Lane(LaneId lane_id, CampaignRun& run) : id(std::move(lane_id)), campaign(&run) {}

    LaneId id;
    CampaignRun* campaign;
    DomainState* domain = nullptr;
    Site* site = nullptr;
    std::uint32_t batch = 0;       // of the lane order it was opened with; 0: not from there
    std::uint64_t recipients = 0;  // in its audience, 0: not known

    // Rows read ahead. Fresh ones by position; what comes back finds its place again.
    std::deque<Recipient> fresh;
    std::deque<Recipient> due;
    std::string fresh_after;      // position of the last fresh row read
    bool fresh_complete = false;  // no pending rows beyond fresh_after
    WallTime due_after;           // (due, local) of the last due row read
    std::string due_after_local;
    std::optional<WallTime> next_due;    // the earliest retry not in `due`
    std::optional<WallTime> due_behind;  // a retry recorded before due_after: read again when idle
    std::uint64_t ticket = 0;            // of the read in progress; 0: none
    bool flushing = false;               // the next read takes deferred rows whenever they are due
    bool sent = false;                   // every fresh row has a recorded outcome
    bool hungry = false;                 // waits for room to read ahead

    // Work in progress.
    bool ready = false;                     // stands in its site's queue
    std::uint32_t in_flight = 0;            // handed out or to the journal, and not yet recorded
    std::map<SlotId, std::uint32_t> slots;  // leased recipients by session
    RateWindow* rate = nullptr;             // of the campaign's throttle for this domain
    std::optional<std::uint32_t> connections_max;
    std::optional<Sweep> sweep;

    // Low-water mark: fresh leases in order, each dropped once wholly recorded.
    struct FreshLease {
        std::uint64_t sequence;
        std::string first, last;  // positions
        bool recorded = false;
    };
    std::deque<FreshLease> fresh_leases;
    std::uint32_t recorded_since_mark = 0;

    bool sendable() const { return !fresh.empty() || !due.empty(); }
    std::size_t rows() const { return fresh.size() + due.size(); }
    bool idle() const { return in_flight == 0 && ticket == 0; }

    // Takes up to count rows, retries and new ones in turn.
    std::vector<Recipient> take(std::size_t count);

    // A leased recipient that was not attempted.
    void put_back(const Recipient& recipient);

    void fresh_leased(std::uint64_t sequence, const std::vector<Recipient>& recipients);

    // The lease is wholly accounted for. A position that every outcome is known up to, when it is
    // time to record one; empty otherwise.
    std::string lease_recorded(std::uint64_t sequence, std::uint32_t mark_every);
};

}  // namespace posthorn
