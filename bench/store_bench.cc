// What the store costs delivery: one outcome through the journal, one row through the reader, and
// how long a store takes to open after its process was killed. Works in a directory of its own
// under the working directory, and removes it.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "engine/base/check.h"
#include "engine/delivery/journal.h"
#include "engine/delivery/reader.h"
#include "engine/queue/audience_import.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/rocks_store.h"

namespace posthorn {
namespace {

constexpr const char* kDirectory = "store-bench-data";
constexpr std::uint32_t kLeaseRecipients = 24;
constexpr std::uint32_t kLeasesPerCommit = 20;
const WallTime kNow = wall_from_micros(1'800'000'000'000'000);

std::unique_ptr<Store> open_store(Durability durability) {
    RocksOptions options;
    options.durability = durability;
    auto store = open_rocks_store(std::string(kDirectory) + "/store", options);
    CHECK(store.has_value());
    return std::move(*store);
}

// Rows of lanes of equal size.
void import_audience(Store& store, std::uint64_t rows, std::uint64_t lane_rows) {
    ImportOptions options;
    options.directory = std::string(kDirectory) + "/import";
    auto import = AudienceImport::open(store, 1, options);
    CHECK(import.has_value());
    std::string row;
    for (std::uint64_t i = 0; i < rows; ++i) {
        const std::string local = "first.last" + std::to_string(i);
        const std::string domain = "domain-" + std::to_string(i / lane_rows) + ".example";
        row.clear();
        AudienceRowWriter writer(row, local + "@" + domain, "First Last");
        writer.text("Vienna");
        CHECK((*import)->add(domain, local, row, i));
    }
    CHECK((*import)->finish({}));
}

RecordOutcome delivered(const GrantLease& grant, std::uint32_t index) {
    AttemptRecord attempt;
    attempt.time = kNow;
    attempt.stage = Stage::kDot;
    attempt.reply = {250, EnhancedCode{2, 0, 0}, "Ok: queued as 4fXh2k3QPzz9sRk"};
    attempt.host = "mx1.provider.example";
    attempt.source = "a";
    return {grant.lease->lane,
            grant.lease->recipients[index],
            grant.lease->sequence,
            std::move(attempt),
            OutcomeState::kDelivered,
            Category::kNone,
            kNow,
            {},
            false};
}

GrantLease grant(std::uint64_t sequence, const std::shared_ptr<const Page>& page,
                 std::uint32_t first) {
    auto lease = std::make_shared<Lease>();
    lease->sequence = sequence;
    lease->lane = {1, "domain-0.example"};
    lease->source = "a";
    lease->time = kNow;
    for (std::uint32_t i = 0; i < kLeaseRecipients && first + i < page->items.size(); ++i)
        lease->recipients.emplace_back(page, first + i);
    return {std::move(lease), 0};
}

// Records that many outcomes of one lane's rows, as a campaign at full speed would.
std::uint64_t deliver(Store& store, std::uint64_t rows) {
    auto journal = Journal::open(store, kNow, [](CampaignNumber) { return false; });
    CHECK(journal.has_value());
    const Reader reader(store);
    std::uint64_t sequence = (*journal)->recovery().next_lease, done = 0;
    std::string after;
    std::vector<JournalEntry> entries;
    while (done < rows) {
        const auto answer = reader.answer(
            ReadFresh{1, {1, "domain-0.example"}, after, kLeaseRecipients * kLeasesPerCommit});
        const auto& page = std::get<RowsRead>(answer).page;
        if (page->items.empty()) break;
        std::vector<GrantLease> grants;
        for (std::uint32_t i = 0; i < page->items.size(); i += kLeaseRecipients)
            grants.push_back(grant(sequence++, page, i));
        entries.assign(grants.begin(), grants.end());
        CHECK((*journal)->commit(entries, kNow));
        entries.clear();
        for (const GrantLease& one : grants)
            for (std::uint32_t i = 0; i < one.lease->recipients.size(); ++i)
                entries.push_back(delivered(one, i));
        CHECK((*journal)->commit(entries, kNow + std::chrono::microseconds(done)));
        done += page->items.size();
        after = Recipient(page, static_cast<std::uint32_t>(page->items.size() - 1)).local();
    }
    return done;
}

// A process delivers to so many of a million recipients and is killed; how long until a row is
// read.
void open_after_kill(benchmark::State& state) {
    constexpr std::uint64_t kRows = 1'000'000;
    const auto outcomes = static_cast<std::uint64_t>(state.range(0));
    for (auto _ : state) {
        state.PauseTiming();
        std::filesystem::remove_all(kDirectory);
        const pid_t child = ::fork();
        if (child == 0) {
            auto store = open_store(Durability::kProcess);
            import_audience(*store, kRows, kRows);
            deliver(*store, outcomes);
            ::kill(::getpid(), SIGKILL);
        }
        int status = 0;
        CHECK(::waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        state.ResumeTiming();
        auto store = open_store(Durability::kPower);
        auto journal = Journal::open(*store, kNow, [](CampaignNumber) { return false; });
        CHECK(journal.has_value());
        const auto answer = Reader(*store).answer(OpenLanes{1, 1, "", 512, 8192, 64});
        CHECK(!std::get<LanesOpened>(answer).page->items.empty());
        state.PauseTiming();
        state.counters["events_replayed"] =
            static_cast<double>((*journal)->recovery().events_replayed);
        journal->reset();
        store.reset();
        state.ResumeTiming();
    }
    std::filesystem::remove_all(kDirectory);
}
// First, before this process has threads of its own.
BENCHMARK(open_after_kill)->Arg(500'000)->Iterations(1)->Unit(benchmark::kMillisecond);

void journal_outcome(benchmark::State& state) {
    const auto rows = static_cast<std::uint64_t>(state.range(0));
    for (auto _ : state) {
        state.PauseTiming();
        std::filesystem::remove_all(kDirectory);
        auto store = open_store(static_cast<Durability>(state.range(1)));
        import_audience(*store, rows, rows);
        state.ResumeTiming();
        CHECK(deliver(*store, rows) == rows);
        state.counters["bytes/row"] =
            static_cast<double>(store->bytes_on_disk()) / static_cast<double>(rows);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetLabel(std::string(name_of(static_cast<Durability>(state.range(1)))));
    std::filesystem::remove_all(kDirectory);
}
BENCHMARK(journal_outcome)
    ->Args({300'000, 0})
    ->Args({300'000, 1})
    ->Args({300'000, 2})
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

void reader_fresh_rows(benchmark::State& state) {
    constexpr std::uint64_t kRows = 300'000;
    std::filesystem::remove_all(kDirectory);
    {
        auto store = open_store(Durability::kPower);
        import_audience(*store, kRows, kRows);
        const Reader reader(*store);
        std::uint64_t rows = 0;
        for (auto _ : state) {
            std::string after;
            for (bool complete = false; !complete;) {
                const auto answer =
                    reader.answer(ReadFresh{1, {1, "domain-0.example"}, after, 512});
                const auto& read = std::get<RowsRead>(answer);
                complete = read.complete;
                rows += read.page->items.size();
                if (!read.page->items.empty())
                    after = Recipient(read.page,
                                      static_cast<std::uint32_t>(read.page->items.size() - 1))
                                .local();
            }
        }
        state.SetItemsProcessed(static_cast<std::int64_t>(rows));
    }
    std::filesystem::remove_all(kDirectory);
}
BENCHMARK(reader_fresh_rows)->Unit(benchmark::kMillisecond);

void reader_lanes(benchmark::State& state) {
    constexpr std::uint64_t kRows = 300'000;
    std::filesystem::remove_all(kDirectory);
    {
        auto store = open_store(Durability::kPower);
        import_audience(*store, kRows, static_cast<std::uint64_t>(state.range(0)));
        const Reader reader(*store);
        std::uint64_t rows = 0;
        for (auto _ : state) {
            std::string after;
            for (bool complete = false; !complete;) {
                const auto answer = reader.answer(OpenLanes{1, 1, after, 512, 8192, 64});
                const auto& opened = std::get<LanesOpened>(answer);
                complete = opened.complete;
                after = opened.next_after;
                rows += opened.page->items.size();
            }
        }
        state.SetItemsProcessed(static_cast<std::int64_t>(rows));
    }
    std::filesystem::remove_all(kDirectory);
}
BENCHMARK(reader_lanes)->Arg(1)->Arg(3)->Arg(30)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace posthorn
