// The journal and the reader over a store in memory: what is theirs of the cost, without RocksDB's.
#include <string>

#include "bench/hot_paths.h"
#include "engine/base/check.h"
#include "engine/delivery/journal.h"
#include "engine/delivery/reader.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"

namespace posthorn {
namespace {

constexpr std::uint32_t kRecipients = 4'800;
constexpr std::uint32_t kLeaseRecipients = 48;
const LaneId kLane{1, "d.test"};
const WallTime kNow = wall_from_micros(1'800'000'000'000'000);

std::unique_ptr<Store> store_with_lane() {
    auto store = make_memory_store();
    WriteBatch batch;
    for (std::uint32_t i = 0; i < kRecipients; ++i) {
        std::string row;
        AudienceRowWriter(row, "user" + std::to_string(i) + "@d.test", "Ann").text("Vienna");
        batch.put(Family::kAudience, audience_key(kLane, local_key("user" + std::to_string(i))),
                  row);
    }
    batch.put(Family::kLane, lane_key(kLane), encode(LaneRecord{kRecipients, {}, {}}));
    CHECK(store->write(batch));
    return store;
}

// Two pages of it at a time, as the scheduler asks.
std::vector<std::shared_ptr<const Page>> read_all(const Store& store) {
    const Reader reader(store);
    std::vector<std::shared_ptr<const Page>> pages;
    std::string after;
    for (bool complete = false; !complete;) {
        const auto answer = reader.answer(ReadFresh{1, kLane, after, 512});
        const auto& read = std::get<RowsRead>(answer);
        complete = read.complete;
        if (read.page->items.empty()) continue;
        pages.push_back(read.page);
        after =
            Recipient(read.page, static_cast<std::uint32_t>(read.page->items.size() - 1)).local();
    }
    return pages;
}

// Leases, then the outcomes of all in them, in two commits.
class Commits final : public Work {
  public:
    Commits() : store_(store_with_lane()) {
        auto opened = Journal::open(*store_, kNow, [](CampaignNumber) { return false; });
        CHECK(opened.has_value());
        journal_ = std::move(*opened);
        std::uint64_t sequence = journal_->recovery().next_lease;
        for (const auto& page : read_all(*store_))
            for (std::uint32_t at = 0; at < page->items.size(); at += kLeaseRecipients)
                add_lease(page, at, sequence++);
    }
    void run() override {
        CHECK(journal_->commit(grants_, kNow));
        CHECK(journal_->commit(outcomes_, kNow));
    }

  private:
    void add_lease(const std::shared_ptr<const Page>& page, std::uint32_t at,
                   std::uint64_t sequence) {
        auto lease = std::make_shared<Lease>();
        lease->sequence = sequence;
        lease->lane = kLane;
        lease->source = "a";
        lease->time = kNow;
        for (std::uint32_t i = 0; i < kLeaseRecipients && at + i < page->items.size(); ++i) {
            lease->recipients.emplace_back(page, at + i);
            AttemptRecord attempt;
            attempt.time = kNow;
            attempt.stage = Stage::kDot;
            attempt.reply = {250, EnhancedCode{2, 0, 0}, "Ok: queued as 4fXh2k3QPzz9sRk"};
            attempt.host = "mx1.provider.example";
            attempt.source = "a";
            RecordOutcome outcome{kLane,
                                  lease->recipients.back(),
                                  sequence,
                                  std::move(attempt),
                                  OutcomeState::kDelivered,
                                  Category::kNone,
                                  kNow,
                                  {},
                                  false};
            outcomes_.push_back(std::move(outcome));
        }
        grants_.push_back(GrantLease{std::move(lease), 0});
    }

    std::unique_ptr<Store> store_;
    std::unique_ptr<Journal> journal_;
    std::vector<JournalEntry> grants_, outcomes_;
};

// Rows without an outcome, where every second one has one.
class Merge final : public Work {
  public:
    Merge() : store_(store_with_lane()) {
        WriteBatch batch;
        OutcomeRecord delivered;
        delivered.state = OutcomeState::kDelivered;
        for (std::uint32_t i = 0; i < kRecipients; i += 2)
            batch.put(Family::kOutcome, audience_key(kLane, local_key("user" + std::to_string(i))),
                      encode(delivered));
        CHECK(store_->write(batch));
    }
    void run() override { CHECK(!read_all(*store_).empty()); }

  private:
    std::unique_ptr<Store> store_;
};

}  // namespace

std::vector<HotPath> journal_hot_paths() {
    return {{"journal", kRecipients, [] { return std::make_unique<Commits>(); }},
            {"lane_merge", kRecipients, [] { return std::make_unique<Merge>(); }}};
}

}  // namespace posthorn
