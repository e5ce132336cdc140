// Long because all that is known is one thing. What is true in a world, kept apart from the engine:
// what receivers saw and said, what became durable, what the scheduler let go. Each input is
// checked as it comes; the checkers have letters:
//   a one terminal outcome each          b deliveries within the bound, extras known by name
//   c delivered means that a receiver said 2yz to the end of data
//   d final is final; the suppressed, cancelled, held and paused are left alone
//   f no retry early, no attempt after expiry, nothing expires early
//   g the bytes received are those rendered
//   i outcomes, events and figures agree with what receivers said
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/delivery/messages.h"
#include "engine/queue/store.h"
#include "tests/sim/agenda.h"
#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"
#include "tests/sim/truth.h"

namespace posthorn::sim {

class Books {
  public:
    Books(const Knobs& knobs, const Agenda& agenda, Coverage& coverage);

    bool failed() const { return !failures_.empty(); }
    const std::vector<std::string>& failures() const { return failures_; }
    void fail(char checker, std::string what);
    std::string name_of(const Truth& truth) const;

    // ---- The audience.
    Truth& add_recipient(CampaignNumber campaign, std::uint32_t address, std::uint32_t domain);
    void add_campaign(CampaignNumber campaign, const InventedMail& mail);
    Truth* find(const LaneId& lane, std::string_view local);
    Truth* find(std::string_view sender, std::string_view recipient);  // as in MAIL and RCPT
    const std::vector<Truth>& all() const { return truths_; }

    // ---- The scheduler's side.
    void granted(const Lease& lease);
    void came_back(const LaneId& lane, const Recipient& recipient);
    void paused(CampaignNumber campaign, bool is) { set(paused_, campaign, is); }
    void cancelled(CampaignNumber campaign, bool is) { set(cancelled_, campaign, is); }
    void held(const std::string& domain, bool is) { set(held_, domain, is); }
    void suspended(bool is) { suspended_ = is; }
    void flushed(const std::string& domain) { flushed_.insert(domain); }
    bool is_suppressed(std::uint32_t address) const { return suppressed_.contains(address); }
    bool is_held(const std::string& domain) const { return held_.contains(domain); }
    bool is_paused(CampaignNumber campaign) const { return paused_.contains(campaign); }
    bool is_cancelled(CampaignNumber campaign) const { return cancelled_.contains(campaign); }
    bool is_finished(CampaignNumber campaign) const { return finished_.contains(campaign); }
    void resolved(const std::string& domain, DnsVerdict verdict);

    // ---- The store.
    void becoming_durable(const WriteBatch& batch);
    void process_ended();

    // ---- The receivers. watched: its client still has the connection.
    void recipient_named(Truth& truth, bool watched);
    void message_complete(Truth& truth, std::string_view bytes, bool watched);
    void lied(const std::string& host) { liars_.insert(host); }  // a reply too many
    void accepted(Truth& truth, bool lied) {
        ++truth.accepted;
        truth.misled += lied;
    }
    void unheard(Truth& truth) { ++truth.unheard; }
    void said(Truth& truth, Stage stage, std::uint16_t code) {
        truth.said.push_back({stage, code});
    }

    // ---- At the end: everything has its outcome, and all records agree.
    void check_end(const Store& store);
    std::uint64_t attempts() const { return attempts_seen_; }
    Instant last_activity(const std::string& domain) const;
    void active(const std::string& domain) { activity_[domain] = agenda_.now().instant; }

    static std::string local_of(std::uint32_t address) { return "r" + std::to_string(address); }
    // As written in the list: not always in lower case.
    static std::string written_local_of(std::uint32_t address) {
        return (address % 3 == 0 ? "R" : "r") + std::to_string(address);
    }

  private:
    template <class Set, class Key>
    static void set(Set& in, const Key& key, bool is) {
        if (is) {
            in.insert(key);
        } else {
            in.erase(key);
        }
    }
    struct Negative {  // answers in a row that a domain takes no mail
        WallTime first, last;
        std::uint32_t count = 0;
    };

    void campaign_durable(const WriteBatch::Operation& operation);
    void outcome_durable(const WriteBatch::Operation& operation);
    void check_attempt(const Truth& truth, const OutcomeRecord& outcome);
    void check_final(const Truth& truth, const OutcomeRecord& outcome);
    void check_due(const Truth& truth, const OutcomeRecord& outcome);
    void lease_durable(std::uint64_t sequence, std::string_view value);
    void lease_erased(std::uint64_t sequence);
    void event_durable(const WriteBatch::Operation& operation);
    void check_recipient(const Truth& truth);
    void check_figures(const Store& store);
    void check_retries(const Store& store);
    bool permanently_refused(const Truth& truth) const;
    const CampaignKnobs& knobs_of(CampaignNumber campaign) const {
        return knobs_.campaigns[campaign - 1];
    }
    const Knobs& knobs_;
    const Agenda& agenda_;
    Coverage& coverage_;
    std::vector<std::string> failures_;
    std::vector<Truth> truths_;  // by campaign, then address
    std::vector<const InventedMail*> mails_;
    std::unordered_map<std::uint64_t, std::vector<Truth*>> leases_;  // durable and open
    std::map<CampaignNumber, Figures> tallied_;                      // from the events
    std::unordered_set<CampaignNumber> paused_, cancelled_, finished_;
    std::unordered_set<std::string> held_, flushed_;
    std::unordered_set<std::string> liars_;  // what was heard from them is not what was meant
    std::unordered_set<std::uint32_t> suppressed_;       // in force
    std::unordered_set<std::uint32_t> once_suppressed_;  // what was read then counts
    std::unordered_map<std::string, Negative> negatives_;
    std::unordered_map<std::string, Instant> activity_;
    bool suspended_ = false;
    std::uint64_t attempts_seen_ = 0;
    RenderedMessage expected_;
};

}  // namespace posthorn::sim
