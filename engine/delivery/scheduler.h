// The one brain: decides which recipients go to which session, when, and what follows from each
// reply. A single-threaded value: inputs in the passive past with the time; orders out; one
// deadline. Never touches disk, socket or clock. Held by the runtime on one loop, by tests and the
// simulator directly. Long because one brain has one state; its functions are in several files,
// by subject.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/base/random.h"
#include "engine/delivery/campaign_run.h"
#include "engine/delivery/lane.h"
#include "engine/delivery/limits.h"
#include "engine/delivery/messages.h"
#include "engine/delivery/peer_memory.h"
#include "engine/delivery/provider_limits.h"
#include "engine/delivery/scheduler_view.h"
#include "engine/delivery/site.h"
#include "engine/delivery/site_holds.h"
#include "engine/delivery/sts_policy.h"
#include "engine/delivery/tls_results.h"

namespace posthorn {

struct SchedulerOutput {
    std::vector<ReaderRequest> reader;
    std::vector<JournalEntry> journal;
    std::vector<std::pair<std::uint32_t, SenderOrder>> senders;  // index of the sender
    std::vector<ResolveDomain> resolver;
    std::vector<Notice> notices;

    void clear();
};

// state/pace/SITE 0 SOURCE := Pace::stored
inline constexpr std::string_view kPaceKind = "pace";

// The source of suppressions that are in doubt, before the domain they are named by.
inline const std::string kBrakeSource = "brake:";

// What an answer says about the source it was given to.
Sign sign_of(Category category, Action action);

// Why a campaign is paused that could not begin in time.
inline constexpr std::string_view kLatePauseReason = "schedule.max_lateness";

class Scheduler {
  public:
    // At least one source and one sender. next_lease is greater than any lease sequence in the
    // store.
    Scheduler(DeliveryLimits limits, std::vector<Source> sources, std::uint32_t senders,
              std::uint64_t next_lease, Random random);
    ~Scheduler();

    // Before the first input: what the mailbox providers take.
    void set_shaping(std::shared_ptr<const Shaping> shaping) {
        providers_ = ProviderLimits(std::move(shaping));
    }

    // ---- Inputs.
    // A campaign that is running, paused or being cancelled, with what is recorded of it.
    void campaign_added(CampaignPlan plan, const Figures& recorded, Now now);
    // What kept it from being sent is mended; it may be resumed.
    void campaign_ready(CampaignNumber campaign, std::shared_ptr<const Renderer> renderer);
    void cursor_known(CampaignNumber campaign, std::string_view stored);  // before the first settle
    void reader_answered(ReaderAnswer answer, Now now);
    void journal_reported(JournalReport report, Now now);
    void sender_reported(SenderReport report, Now now);
    void domain_resolved(DomainResolved answer, Now now);
    void deadline_passed(Now now);

    // ---- Operators. Persisted through the journal.
    Status pause(CampaignNumber campaign, const std::string& reason, Now now);
    Status resume(CampaignNumber campaign, Now now);
    Status cancel(CampaignNumber campaign);
    Status set_plan(CampaignNumber campaign, const RetryPolicy& retry, const Throttle& throttle,
                    const std::string& definition);
    Status set_schedule(CampaignNumber campaign, const SendingSchedule& schedule, Now now);
    void hold_domain(const std::string& domain, const std::string& reason);
    void release_domain(const std::string& domain, Now now);
    void flush_domain(const std::string& domain, Now now);  // deferred ones are due now
    void hold_restored(const std::string& domain,
                       const std::string& reason);  // at start, from the store

    // What hosts mishandled, at start, from the store. False: it need not be kept.
    bool peer_restored(const std::string& host, std::string_view stored, WallTime now) {
        return peers_.restore(host, stored, now);
    }

    // How TLS fared, at start, from the store. False: it need not be kept.
    bool tls_results_restored(std::string_view key, std::string_view stored, WallTime now) {
        return tls_results_.restore(key, stored, now);
    }

    // To be recorded with what it decides itself.
    void record_state(PutState state);

    // What was used of them, at start, from the store. False: it need not be kept.
    bool shaping_restored(std::string_view key, std::string_view stored, Now now) {
        return providers_.restore(key, stored, now);
    }

    // A source held at a site, at start, from the store. False: it need not be kept.
    bool site_hold_restored(std::string_view key, std::string_view stored, Now now) {
        return site_holds_.restore(key, stored, limits_.hold_max, now);
    }

    // How fast a site took mail, at start, from the store. False: it need not be kept.
    bool pace_restored(std::string_view key, std::string_view stored, Now now);

    // An address was suppressed by somebody else: no further attempt starts to it.
    void address_suppressed(std::string_view domain, std::string_view folded_local);

    // Grants nothing until told to go on: no room on disk, say.
    void suspend(const std::string& reason);
    void go_on();
    const std::string& suspended() const { return suspended_; }

    // Grants nothing more, closes sessions once what is in flight has ended.
    void stop(Now now);
    bool stopped() const;

    // ---- Outputs.
    SchedulerOutput& settle(
        Now now);  // decides what is due; the caller carries it out and clears it
    std::optional<Instant> deadline(Now now) const;

    // ---- Views, for status and explain.
    const CampaignRun* campaign(CampaignNumber number) const;
    std::vector<CampaignNumber> campaigns() const;  // finished ones of this run, too
    StatusView status(Now now) const;
    const SiteHolds& site_holds() const { return site_holds_; }
    std::optional<DomainView> explain(const std::string& domain, Now now) const;

  private:
    struct LaneHash {
        std::size_t operator()(const LaneId& id) const;
    };
    struct Parked {
        WallTime wake;
        CampaignNumber campaign;
        std::uint32_t batch;  // of an unsent lane that its campaign's list of them has no room for
        bool fresh_complete;
        bool flush;  // its deferred rows are wanted whenever they are due
        std::string domain;
        bool operator>(const Parked& other) const { return wake > other.wake; }
    };
    struct LeaseState {
        std::shared_ptr<const Lease> lease;
        Lane* lane = nullptr;
        std::uint32_t unreported = 0;  // by the sender
        std::uint32_t unrecorded = 0;  // by the journal
        Instant granted;
        std::optional<ProviderShare> share;  // whose rates counted it
        std::uint32_t source = 0;
    };
    enum class TicketKind : std::uint8_t { kLanes, kDeferred, kFresh, kDue };
    struct Ticket {
        TicketKind kind;
        LaneId lane;  // for kLanes and kDeferred only the campaign
    };

    // scheduler_lanes.cc: walking, opening, reading ahead, parking, finishing
    void walk(CampaignRun& run);
    void lanes_opened(CampaignRun& run, LanesOpened& answer, Now now);
    void deferred_listed(CampaignRun& run, DeferredLanes& answer, Now now);
    void rows_read(Lane& lane, TicketKind kind, RowsRead& answer, Now now);
    Lane& open_lane(CampaignRun& run, const std::string& domain);
    void close_lane(Lane& lane);
    void park(Lane& lane, WallTime wake);
    void unpark_due(Now now);
    void unpark_all(CampaignNumber campaign, const std::string& domain, bool flush,
                    Now now);  // "" = every domain
    void tend(Lane& lane, Now now);
    void rest(Lane& lane, Now now);
    void refill(Lane& lane, Now now);
    void sweep(Lane& lane, Now now);
    bool settle_without_attempt(Lane& lane, const Recipient& recipient, Now now);
    std::optional<Instant> blocked_until(const Lane& lane, Now now) const;
    void give_up_if_blocked_too_long(Lane& lane, Now now);
    void leave_batch(Lane& lane);
    void record_cursor(CampaignRun& run);
    std::uint64_t new_ticket(TicketKind kind, LaneId lane);

    // scheduler_schedule.cc: windows and the time of the start
    void follow_schedule(CampaignRun& run, Now now);
    void follow_schedules(Now now);
    std::optional<WallTime> next_schedule_change() const;

    // scheduler_domains.cc: names and their sites
    DomainState& domain_of(const std::string& name);
    void release_domain_state(Lane& lane);
    void forget_domain_if_unused(DomainState& domain);
    void resolve(DomainState& domain, Now now);
    void answer_unusable(DomainState& domain, const DomainResolved& answer, Now now);
    Site& site_of(const MailHosts& hosts, bool sts, Now now);
    void point_at(DomainState& domain, Site* site);

    // scheduler_sites.cc: sessions and leases
    void touch(Site& site);
    void pump(Site& site, Now now);
    struct SlotChoice {
        Slot* slot = nullptr;
        bool room = false;
    };
    SlotChoice choose_slot(Site& site, const Lane& lane, Now now, Instant& wake);
    std::uint32_t lease_size(const Site& site, const Slot& slot, const Lane& lane, Now now) const;
    void grant(Lane& lane, Slot& slot, std::size_t count, Now now);
    void open_sessions(Site& site, Now now);
    bool open_session(Site& site, Now now);
    std::optional<std::size_t> choose_host(Site& site, Now now);
    std::uint32_t messages_left(const Site& site, const Slot& slot) const;
    void session_ready(const SessionReady& report, Now now);
    void session_ending(const SessionEnding& report);
    void session_proved(Slot& slot);
    void session_failed(const SessionFailed& report, Now now);
    void session_closed(const SessionClosed& report, Now now);
    void session_useless(Slot& slot, Stage stage, const Reply& reply, Now now);
    void close_slot(Slot& slot);
    void forget_slot(Slot& slot);
    void slow_down(Site& site, std::uint32_t source, Now now);
    void site_failed(Site& site, Now now);
    void close_idle_sessions(Now now);
    void wait_for_room(Site& site);
    void room_was_made();
    void forget_site_if_unused(Site& site, Now now);

    // scheduler_standing.cc: what answers mean for a source at a site, holds, the brake
    void attach_holds(Site& site);
    void recall_paces(Site& site, Now now);
    void remember_paces(const Site& site, Now now);
    void record_pace(const Site& site, std::uint32_t source, Now now);
    void one_session_too_many(Site& site, std::uint32_t source, Now now);
    void answered(Site& site, std::uint32_t source, const AttemptRecord& attempt, Now now);
    bool refused_at_the_door(Site& site, std::uint32_t source, const SessionFailed& report,
                             Now now);
    void hold_source(Site& site, std::uint32_t source, const std::string& words, Now now);
    void brake_if_out_of_proportion(Site& site, const RecordOutcome& outcome, Now now);
    void put_hold(Site& site, const std::string& source, SiteHold hold, Now now);
    void release_hold(const SiteHolds::Key& key);
    bool release_holds(const std::string& domain);

    // scheduler_tls.cc: what binds a domain's mail, and how it fared
    void judge_tls(DomainResolved& answer, DomainState& domain, Now now);
    std::shared_ptr<const TlsPolicy> tls_policy_for(const Site& site, const SiteHost& host,
                                                    Now now) const;
    void count_tls(const Slot& slot, TlsResult result, Now now);
    void record_tls_results(Now now);

    // scheduler_limits.cc: what rates and providers allow
    std::uint64_t allowance(Lane& lane, Now now, Instant& wake);
    void take_share(Site& site, const std::string& domain);
    double sessions_ceiling(const Site& site) const;
    std::uint64_t source_allows(Site& site, const Slot& slot, Now now, Instant& wake);
    bool source_may_open(Site& site, std::uint32_t source, Now now);
    void count_opened(Slot& slot, Now now);
    void count_granted(const Slot& slot, std::uint32_t recipients, Now now);
    void count_returned(const LeaseState& state, Now now);
    void record_provider_usage(Now now);
    void wake_site_at(Site& site, Instant at);

    // scheduler_outcomes.cc: what follows from an attempt
    void attempt_done(AttemptDone& report, Now now);
    bool struck_out(const Lane& lane, const Recipient& recipient);
    void slot_used(Slot& slot, AttemptEnd end, Now now);
    void returned(LeaseState& state, const Recipient& recipient, Now now);
    RecordOutcome outcome_of(const LeaseState& state, const Recipient& recipient,
                             AttemptDone& report, Now now);
    void account_lease(std::uint64_t sequence, bool recorded);
    void learn(Site& site, std::uint32_t source, const AttemptDone& report, Now now);
    void learn_pace(Site& site, Duration lease_took);
    void recorded(const OutcomeRecorded& outcome);
    void check_stop_if(CampaignRun& run, Now now);
    void count_active_time(CampaignRun& run, Now now);
    void finish_if_done(CampaignRun& run, Now now);
    void put_campaign(const CampaignRun& run);
    void unload(CampaignRun& run);
    bool is_astray(const CampaignRun& run, WallTime due, Now now) const;
    bool is_suppressed(const Lane& lane, const Recipient& recipient) const;
    void note_suppressed(std::string_view domain, std::string_view folded_local);

    DeliveryLimits limits_;
    std::vector<Source> sources_;
    PeerMemory peers_;
    ProviderLimits providers_;
    TlsResults tls_results_;
    SiteHolds site_holds_;
    std::unordered_map<std::string, std::string> paces_;  // stored, of sites that are not in memory
    Random random_;
    SchedulerOutput output_;
    bool stopping_ = false;
    std::string suspended_;  // why; empty: it is not
    bool failed_ = false;    // the journal is gone

    std::map<CampaignNumber, std::unique_ptr<CampaignRun>> campaigns_;
    std::unordered_map<LaneId, std::unique_ptr<Lane>, LaneHash> lanes_;
    std::priority_queue<Parked, std::vector<Parked>, std::greater<>> parked_;
    std::unordered_map<std::string, std::unique_ptr<DomainState>> domains_;
    std::unordered_map<std::string, std::unique_ptr<Site>> sites_;
    std::unordered_map<SlotId, std::unique_ptr<Slot>> slots_;
    std::unordered_map<std::uint64_t, LeaseState> leases_;
    std::unordered_map<std::uint64_t, Ticket> tickets_;
    std::unordered_set<std::uint64_t>
        recently_suppressed_;  // hashes of addresses, since pages were read

    std::unordered_map<std::uint64_t, std::uint8_t> strikes_;  // by hash of lane and recipient

    std::vector<Site*> dirty_sites_;
    std::deque<std::string> sites_waiting_for_room_;  // names: a site may be gone by then
    std::deque<LaneId> hungry_lanes_;
    std::vector<LaneId> lanes_waiting_to_sweep_;  // for the journal to catch up
    std::vector<LaneId> lanes_to_tend_;
    std::priority_queue<std::pair<Instant, std::string>,
                        std::vector<std::pair<Instant, std::string>>, std::greater<>>
        site_wakes_;
    std::priority_queue<std::pair<Instant, std::string>,
                        std::vector<std::pair<Instant, std::string>>, std::greater<>>
        domain_wakes_;
    Instant next_idle_check_{};
    WallTime latest_wall_;  // of the latest turn: that it goes back is seen

    std::uint64_t next_lease_;
    std::uint64_t next_slot_ = 1;
    std::uint64_t next_ticket_ = 1;
    std::vector<std::uint32_t> sessions_by_sender_;
    std::size_t rows_ahead_ = 0;         // rows in lanes' buffers, and asked for
    std::size_t in_flight_ = 0;          // recipients leased and not yet reported
    std::size_t unrecorded_ = 0;         // outcomes at the journal
    std::uint64_t journal_entries_ = 0;  // sent and not yet durable

    // How long the journal takes: a lease is of use only behind it.
    void note_sent_to_journal(Now now);
    void note_recorded(std::uint64_t entries, Now now);
    std::uint64_t entries_recorded_ = 0;
    std::deque<std::pair<std::uint64_t, Instant>> sent_to_journal_;  // number of the last, when
    Duration journal_lag_{0};
};

}  // namespace posthorn
