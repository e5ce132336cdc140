// A small world around a scheduler, with the real journal and reader over a store in memory: it
// plays the senders, resolver and receivers on virtual time, by messages, every delay and mood
// drawn from a seed. It checks as it goes that no recipient is leased twice at once, that nothing
// final is touched again, that no mark and no cursor leads, and that figures are what was recorded.
// Long because the moods of its receivers are told where they are set.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/delivery/journal.h"
#include "engine/delivery/scheduler.h"
#include "engine/queue/store.h"

namespace posthorn {

// How one domain's receiver behaves; probabilities per attempt.
struct Mood {
    DnsVerdict verdict = DnsVerdict::kFound;
    std::string host;  // default: mx.DOMAIN
    Duration resolves_after{0};
    double defer = 0, bounce = 0, uncertain = 0, cut_off = 0;
    double connect_fails = 0;
    std::vector<TlsaRecord> tlsa{};
    std::shared_ptr<const StsPolicy> sts{};
    std::uint32_t sessions_max = 0;               // more are refused with 421; 0: any number
    std::uint32_t messages_max = 0;               // then 421 and close; 0: any number
    std::optional<std::uint64_t> domains_told{};  // RFC 9422: domains that a session may be for
    Duration latency_max{std::chrono::milliseconds(200)};

    // What it says of the source: to recipients by chance, at the greeting always.
    double stop = 0, spam = 0, slow = 0;
    bool refuses_greeting = false;
    std::string only_source;  // the one that it says this to; empty: all

    // What it takes and does not tell, as large providers keep it: tokens, and then a penalty in
    // which everything is refused. 0: any.
    double hidden_rate = 0, hidden_burst = 1;  // recipients, a second and at once
    Duration penalty{0};
};

class SchedulerWorld {
  public:
    SchedulerWorld(DeliveryLimits limits, std::uint64_t seed);

    CampaignPlan& add_campaign(CampaignNumber number);  // to be adjusted before begin()
    void add_lane(CampaignNumber campaign, const std::string& domain, std::uint32_t recipients);
    void suppress_in_store(const std::string& domain, std::uint32_t recipient);
    Mood& mood(const std::string& domain) { return moods_[domain]; }
    void add_source(const std::string& name) { sources_.push_back({name, {}, "me.test"}); }
    void shape(ProviderRule rule) { shaping_.rules.push_back(std::move(rule)); }

    void begin();  // a process starts: what is in the store is handed to a new scheduler
    void crash();  // it ends; what was not committed is gone
    void run_until_finished(Duration at_most);
    void run_for(Duration span);
    void run_until_stopped(Duration at_most);

    void flush(const std::string& domain) {  // from now on retries may come early
        flushed_ = true;
        scheduler_->flush_domain(domain, now_);
    }
    void set_clock(Duration forward) {  // what was recorded by another clock may come early
        flushed_ = true;
        now_.wall += forward;
    }
    Scheduler& scheduler() { return *scheduler_; }
    Now now() const { return now_; }
    bool finished() const;
    std::uint64_t count(CampaignNumber campaign, OutcomeState state) const;
    std::uint64_t deliveries(CampaignNumber campaign) const;        // on the receivers' side
    std::uint64_t extra_deliveries(CampaignNumber campaign) const;  // beyond one per recipient
    std::uint64_t possible_duplicates(CampaignNumber campaign) const;
    std::uint64_t attempts(const std::string& domain) const;
    std::uint64_t told_to_slow_down(const std::string& domain) const;  // recipients
    std::uint64_t attempts_from(const std::string& domain, const std::string& source) const;
    const Store& store() const { return *store_; }
    Store& store() { return *store_; }
    std::uint32_t most_sessions(const std::string& domain) const;
    std::uint64_t sessions_opened(const std::string& domain) const;
    const std::vector<Instant>& attempt_times(const std::string& domain) const;
    std::size_t most_domains(const std::string& domain) { return receivers_[domain].most_domains; }
    // What sessions to the host were asked of TLS, by the name behind its first dot.
    const std::vector<std::shared_ptr<const TlsPolicy>>& tls_asked(const std::string& domain) {
        return receivers_[domain].tls;
    }
    std::vector<std::string> notices() const { return notices_; }
    Duration first_attempt_after_begin() const { return *first_attempt_ - begun_; }

  private:
    using Key =
        std::tuple<CampaignNumber, std::string, std::string>;  // campaign, domain, local key
    struct SlotState {
        OpenSession order;
        std::string domain;
        bool ready = false;
        bool closing = false;
        std::uint32_t pending = 0;
        std::uint32_t messages = 0;
        std::set<std::string> domains;
    };
    struct Receiver {
        std::uint32_t sessions = 0, most_sessions = 0;
        std::size_t most_domains = 0;  // in one session
        std::uint64_t opened = 0, attempts = 0;
        std::vector<Instant> times;
        std::vector<std::shared_ptr<const TlsPolicy>> tls;
        std::uint64_t slowed = 0;
        std::map<std::string, std::uint64_t> by_source;
        double tokens = -1;
        Instant filled, penalty_end;
    };

    void after(Duration delay, std::function<void()> action);
    Duration short_delay();
    void step();
    void settle();
    void answer(const ReaderRequest& request);
    void commit();
    void check(const GrantLease& entry);
    void check(const RecordOutcome& entry);
    void check(const RecordMark& entry);
    void check_cursor(const PutState& entry);
    std::optional<OutcomeRecord> outcome_of(const Key& key) const;
    void resolve(const std::string& domain);
    void ordered(std::uint32_t sender, const SenderOrder& order);
    void open(const OpenSession& order);
    void lease_arrived(const std::shared_ptr<const Lease>& lease);
    void attempt(const std::shared_ptr<const Lease>& lease, std::uint32_t index, Instant begins);
    void end_session(SlotId slot, const Reply& reply, Action action = Action::kNone);
    bool over_hidden_limit(const Mood& mood, Receiver& receiver);
    bool speaks_of_the_source(const SlotState& slot, const Mood& mood, AttemptRecord& attempt);

    DeliveryLimits limits_;
    Random random_;
    Now now_{Instant(std::chrono::hours(1000)), WallTime(std::chrono::hours(490'000))};
    std::unique_ptr<Scheduler> scheduler_;
    std::multimap<Instant, std::function<void()>> events_;
    std::uint64_t epoch_ = 0;  // processes so far: events of an earlier one do nothing

    std::map<CampaignNumber, CampaignPlan> plans_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Journal> journal_;
    std::map<CampaignNumber, std::map<std::string, std::vector<std::string>>> audience_;
    std::set<std::pair<std::string, std::string>> suppressed_;  // domain, local key

    std::vector<JournalEntry> uncommitted_;
    bool committing_ = false;
    bool flushed_ = false;
    Shaping shaping_;
    std::vector<Source> sources_{{"default", {}, "me.test"}};
    std::map<std::string, Mood> moods_;
    std::map<std::string, Receiver> receivers_;
    std::set<SlotId> opening_;
    std::map<SlotId, SlotState> slots_;
    std::map<Key, std::uint32_t> delivered_;
    std::set<Key> leased_;
    std::map<std::pair<std::uint64_t, std::string>, Key> leases_;  // lease, local key
    std::vector<std::string> notices_;
    Instant begun_;
    std::optional<Instant> first_attempt_;
};

// The most events in any window of that length.
std::size_t most_in_window(std::vector<Instant> times, Duration window);

}  // namespace posthorn
