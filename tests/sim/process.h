// One life of the engine's process: the real scheduler, senders, journal and reader, joined by
// mailboxes that take their time. Begins with the recovery from what is durable; ends when it is
// destroyed, at any moment, and what was not synced is then gone.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/delivery/journal.h"
#include "engine/delivery/reader.h"
#include "engine/delivery/scheduler.h"
#include "engine/delivery/sender.h"
#include "tests/sim/connection.h"
#include "tests/sim/scene.h"

namespace posthorn::sim {

class Internet;

class Process final : public Client {
  public:
    Process(Scene& scene, Internet& internet);
    ~Process() override;

    Status start();  // recovers and loads what is unfinished
    void load(CampaignNumber campaign);
    Scheduler& scheduler() { return *scheduler_; }
    Journal& journal() { return *journal_; }

    void turn();  // what is due, then the scheduler's decisions
    std::optional<Instant> deadline() const;
    bool stopped() const { return scheduler_->stopped(); }
    bool failed() const { return failed_; }
    void touched() { unsettled_ = true; }  // the scheduler was told something directly
    std::size_t journal_backlog() const { return entries_.size() + committing_.size(); }

    // ---- Client
    void connected(SlotId slot) override;
    void bytes_received(SlotId slot, std::string_view bytes) override;
    void writable(SlotId slot) override;
    void connection_lost(SlotId slot, std::string_view why) override;
    void tls_started(SlotId slot, bool proved) override;
    void tls_failed(SlotId slot, TlsResult result) override;

  private:
    struct SenderBox {
        std::unique_ptr<Sender> sender;
        std::deque<SenderOrder> orders;
        bool delivering = false;
        std::deque<SenderReport> reports;
        bool reporting = false;
    };
    struct Line {
        std::shared_ptr<Connection> connection;
        std::size_t sender;
        bool blocked = false;
    };

    void after(Duration wait, void (Process::*step)(std::size_t), std::size_t argument);
    Status load_campaigns();
    Status load_states();
    void settle();
    void watch(const std::vector<JournalEntry>& entries);
    void post_order(std::size_t sender, SenderOrder order);
    void deliver_orders(std::size_t sender);
    void deliver_reports(std::size_t sender);
    void sender_turn(std::size_t sender);
    void connect(std::size_t sender, const ConnectOrder& order);
    void flush(SlotId slot);
    void commit(std::size_t);
    void committed(std::size_t);
    void fail(const Error& error);
    void post_report(JournalReport report);
    void report_commits(std::size_t);
    void answer(std::size_t);
    void deliver_answers(std::size_t);
    void resolve(const std::string& domain);
    void check_bounds();

    Scene& scene_;
    Internet& internet_;
    std::uint32_t life_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Scheduler> scheduler_;
    std::vector<SenderBox> senders_;
    std::unordered_map<SlotId, Line> lines_;
    std::vector<JournalEntry> entries_;  // in the journal's mailbox
    std::vector<JournalEntry> committing_;
    std::optional<JournalCommitted> commit_report_;
    std::deque<JournalReport> reports_;
    bool commit_planned_ = false;
    bool reports_planned_ = false;
    std::deque<ReaderRequest> requests_;
    std::deque<ReaderAnswer> answers_;
    bool reading_ = false, answering_ = false;
    std::unordered_map<std::uint64_t, LaneId> lanes_of_leases_;
    std::uint64_t settles_ = 0;
    bool unsettled_ = true;  // the scheduler has heard something since it decided last
    bool failed_ = false;
};

}  // namespace posthorn::sim
