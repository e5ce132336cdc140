// A world for questions of scale: the real scheduler with its limits and retries on virtual time,
// an audience, a journal and receivers that are numbers. What the scheduler decides is what it
// would decide in production; bytes, sessions and storage are not here (the other worlds have
// those).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/delivery/scheduler.h"

namespace posthorn::sim {

struct ScaleOptions {
    std::uint64_t recipients = 10'000'000;
    std::uint32_t domains = 100'000;
    std::uint64_t seed = 1;
};

// No schedule can be shorter, and what that comes from.
struct Bound {
    Duration needed{0};
    std::string by;
};

struct ScaleReport {
    std::uint64_t delivered = 0, bounced = 0, expired = 0, deferrals = 0, leases = 0, returned = 0;
    std::uint64_t unsettled = 0;
    Duration makespan{0};
    Bound first_attempts;        // if every recipient took one attempt
    Bound all_attempts;          // with the second ones that receivers asked for
    std::size_t peak_bytes = 0;  // allocated by the scheduler and by pages that it holds
    std::uint32_t peak_sessions = 0;
};

// Bytes that are allocated while the scheduler works count as its own until they are freed.
void own_allocations(bool by_scheduler);

class ScaleWorld {
  public:
    explicit ScaleWorld(ScaleOptions options);
    ScaleReport run();

  private:
    struct Deferred {
        std::uint32_t attempts = 0;
        WallTime first_lease;
        WallTime due;
    };
    struct Lane {
        std::string domain;
        std::string host;
        std::uint32_t recipients = 0;
        std::uint32_t deferrals = 0;  // by its receiver, whatever the scheduler does
        bool greylists = false;
        std::vector<bool> known;  // has an outcome
        std::set<std::pair<WallTime, std::uint32_t>> due;
        std::unordered_map<std::uint32_t, Deferred> deferred;
    };
    struct Session {
        bool ready = false;
        bool closing = false;
        std::uint32_t in_flight = 0;
        std::uint32_t messages = 0;
        std::deque<std::pair<std::shared_ptr<const Lease>, std::uint32_t>> queue;
    };
    enum class Kind : std::uint8_t { kReady, kLease, kDone, kClose, kCommit, kAnswer, kResolve };
    struct Event {
        Instant at;
        std::uint64_t order;
        Kind kind;
        SlotId slot = 0;
        std::uint32_t index = 0;
        std::shared_ptr<const void> what;
        bool operator<(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    void make_lanes();
    void make_limits();
    Bound lower_bound() const;
    void post(Duration wait, Kind kind, SlotId slot, std::uint32_t index,
              std::shared_ptr<const void> what);
    void happen(const Event& event);
    void settle();
    void ordered(const SenderOrder& order);
    void start_more(SlotId id, Session& session);
    void end_if_idle(SlotId id, Session& session);
    void attempt_done(SlotId id, const Lease& lease, std::uint32_t index);
    void commit();
    void record(const RecordOutcome& outcome, JournalCommitted& report);
    void answer(const ReaderRequest& request);
    ReaderAnswer read(const OpenLanes& request);
    ReaderAnswer read(const ReadFresh& request);
    ReaderAnswer read(const ReadDue& request);
    ReaderAnswer read(const ListDeferredLanes& request);
    bool append_fresh(Page& page, const Lane& lane, std::uint32_t from, std::size_t most);
    void resolve(const std::string& domain);
    template <class Input>
    void tell(Input input) {
        own_allocations(true);
        input(*scheduler_);
        own_allocations(false);
        heard_ = true;
    }

    ScaleOptions options_;
    Random random_;
    Now now_{Instant(std::chrono::hours(1)), WallTime(std::chrono::hours(490'000))};
    DeliveryLimits limits_;
    CampaignPlan plan_;
    std::vector<Lane> lanes_;  // largest first
    std::unordered_map<std::string, std::uint32_t> by_domain_;
    std::unique_ptr<Scheduler> scheduler_;
    std::priority_queue<Event> events_;
    std::uint64_t made_ = 0;
    std::unordered_map<SlotId, Session> sessions_;
    std::vector<JournalEntry> entries_;
    bool committing_ = false;
    bool heard_ = true;
    Figures figures_;
    ScaleReport report_;
};
std::size_t peak_owned_bytes();

}  // namespace posthorn::sim
