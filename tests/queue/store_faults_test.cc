// The store on a disk that fails, in loops of writing, failing, losing power and opening again:
// what was acknowledged is there, what was not is absent or whole. POSTHORN_FAULT_ROUNDS makes it
// long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "engine/base/random.h"
#include "engine/queue/keys.h"
#include "engine/queue/rocks_store.h"
#include "tests/queue/faulty_file_system.h"
#include "tests/queue/test_directory.h"

// RocksDB does not give back all that it made when its opening fails; posthorn then ends.
extern "C" const char* __lsan_default_suppressions() { return "leak:rocksdb::DBImpl::Open\n"; }

namespace posthorn {
namespace {

using testing::HasSubstr;

// Every batch has one row in each, so that half of one shows; so has every ingestion.
using Families = std::array<Family, 3>;
constexpr Families kWritten = {Family::kOutcome, Family::kEvent, Family::kLease};
constexpr Families kIngested = {Family::kAudience, Family::kLane, Family::kLaneOrder};

std::uint64_t rounds(std::uint64_t otherwise) {
    const char* given = std::getenv("POSTHORN_FAULT_ROUNDS");
    return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

class StoreFaultsTest : public testing::TestWithParam<Durability> {
  protected:
    StoreFaultsTest() : env_(rocksdb::NewCompositeEnv(disk_)) {}

    RocksOptions options() const {
        RocksOptions options;
        options.durability = GetParam();
        options.write_buffer_bytes = 256
                                     << 10;  // so that files are flushed and merged all the time
        options.env = env_.get();
        return options;
    }
    Result<std::unique_ptr<Store>> open() {
        return open_rocks_store(directory_.path() + "/store", options());
    }

    // What was tried and what was acknowledged of batches, or of ingestions: numbers from 1.
    struct Progress {
        std::uint64_t tried = 0;
        std::uint64_t acknowledged = 0;
    };

    // Writes until something fails or the work is done.
    void work(Store& store, Random& random, int steps) {
        for (int i = 0; i < steps; ++i) {
            const bool ingests = random.chance(0.03);
            Progress& progress = ingests ? ingested_ : written_;
            ++progress.tried;
            const Status done =
                ingests ? ingest(store, progress.tried) : write(store, progress.tried, random);
            if (!done) {
                failure_ = done.error();
                return;
            }
            progress.acknowledged = progress.tried;
        }
    }

    Status write(Store& store, std::uint64_t number, Random& random) {
        WriteBatch batch;
        for (const Family family : kWritten)
            batch.put(family, sequence_key(number), value_of(number, family));
        batch.put(Family::kState, "last", sequence_key(number));
        return store.write(batch, random.chance(0.1) && GetParam() != Durability::kPower
                                      ? Store::Sync::kRelaxed
                                      : Store::Sync::kDurable);
    }

    Status ingest(Store& store, std::uint64_t number) {
        std::vector<SortedFile> files;
        for (const Family family : kIngested) {
            const std::string path = directory_.path() + "/" + std::string(name_of(family)) + "-" +
                                     std::to_string(number);
            auto file = store.sorted_file(family, path);
            if (!file) return file.error();
            RETURN_IF_ERROR((*file)->put(sequence_key(number), value_of(number, family)));
            RETURN_IF_ERROR((*file)->finish());
            files.push_back({family, path});
        }
        return store.ingest(files);
    }

    static std::string value_of(std::uint64_t number, Family family) {
        Random random(number * kFamilyCount + static_cast<std::uint64_t>(family));
        std::string value(200 + random.below(2000), '\0');
        for (char& c : value) c = static_cast<char>(random.below(256));
        return value;
    }

    // The numbers that are there, each in every family and with its value.
    std::vector<std::uint64_t> check_whole(const Store& store, const Families& families) {
        std::vector<std::uint64_t> all;
        for (const Family family : families) {
            const auto cursor = store.cursor(family, {}, {});
            std::vector<std::uint64_t> numbers;
            for (cursor->seek({}); cursor->valid(); cursor->next()) {
                numbers.push_back(parse_sequence_key(cursor->key()).value_or(0));
                EXPECT_EQ(cursor->value(), value_of(numbers.back(), family)) << numbers.back();
            }
            EXPECT_TRUE(cursor->status());
            if (family == families[0]) all = numbers;
            EXPECT_EQ(numbers, all) << "half a batch in " << name_of(family);
        }
        return all;
    }

    // kept: what was acknowledged has to be there. What was lost is then written anew. ordered:
    // nothing is there behind something that is not. False: there is, and the test begins anew.
    bool check(const Store& store, const Families& families, Progress& progress, bool kept,
               bool ordered = true) {
        const std::vector<std::uint64_t> numbers = check_whole(store, families);
        const std::uint64_t last = numbers.empty() ? 0 : numbers.back();
        if (ordered) {
            EXPECT_EQ(numbers.size(), last) << "a hole";
        }
        if (kept) {
            EXPECT_GE(last, progress.acknowledged) << "acknowledged and lost";
        }
        EXPECT_LE(last, progress.tried);
        progress = {last, last};
        return numbers.size() == last;
    }

    void begin_anew(std::unique_ptr<Store> store) {
        store.reset();
        std::filesystem::remove_all(directory_.path() + "/store");
        written_ = ingested_ = {};
    }

    TestDirectory directory_;
    std::shared_ptr<FaultyFileSystem> disk_ = std::make_shared<FaultyFileSystem>();
    std::unique_ptr<rocksdb::Env> env_;
    Progress written_, ingested_;
    std::optional<Error> failure_;
};

INSTANTIATE_TEST_SUITE_P(Levels, StoreFaultsTest,
                         testing::Values(Durability::kPower, Durability::kProcess,
                                         Durability::kNone),
                         [](const auto& level) { return std::string(name_of(level.param)); });

TEST_P(StoreFaultsTest, WhatWasAcknowledgedIsThereAndWhatWasNotIsAbsentOrWhole) {
    Random random(1);
    int struck = 0;
    for (std::uint64_t round = 0; round < rounds(12) && !HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        const auto fault = static_cast<DiskFault>(random.below(kDiskFaultCount));
        const bool power_lost = fault == DiskFault::kPowerLoss || random.chance(0.5);
        disk_->plan(fault, random.below(random.chance(0.5) ? 40 : 250), random.next());
        {
            auto store = open();
            if (store) work(**store, random, static_cast<int>(random.below(100)));
        }
        const bool lied = fault == DiskFault::kSyncIsLost && disk_->struck();
        SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) +
                     (power_lost ? ", power lost" : "") + (lied ? ", the disk lied" : ""));
        struck += disk_->struck() ? 1 : 0;
        power_lost ? disk_->lose_power() : disk_->end_process();
        auto store = open();
        if (!store && lied && power_lost) {  // said, not hidden
            EXPECT_THAT(store.error().message, HasSubstr("cannot open the store"));
            begin_anew(nullptr);
            continue;
        }
        ASSERT_TRUE(store) << store.error().message;
        // Neither synced by us nor by the disk: half of a batch may be there. It opens, no more.
        if (power_lost && lied && GetParam() != Durability::kPower) {
            failure_.reset();
            begin_anew(std::move(*store));
            continue;
        }
        const bool written_kept = !power_lost ? GetParam() != Durability::kNone || !failure_
                                              : GetParam() == Durability::kPower && !lied;
        // Without a sync that tells the truth, RocksDB may lose the end of one log and keep the
        // next.
        const bool ordered = !power_lost || (GetParam() == Durability::kPower && !lied);
        const bool whole = check(**store, kWritten, written_, written_kept, ordered);
        check(**store, kIngested, ingested_, !(power_lost && lied));
        failure_.reset();
        if (!whole) begin_anew(std::move(*store));
    }
    EXPECT_GE(struck, 1);
}

TEST_P(StoreFaultsTest, AFullDiskIsSaidAndWithRoomTheStoreGoesOn) {
    if (GetParam() == Durability::kNone) GTEST_SKIP() << "is told of a full disk at the next flush";
    Random random(2);
    {
        auto store = open();
        ASSERT_TRUE(store);
        work(**store, random, 50);
        ASSERT_FALSE(failure_);
        disk_->plan(DiskFault::kDiskIsFull, 0, 3);
        work(**store, random, 50);
        ASSERT_TRUE(failure_);
        EXPECT_EQ(failure_->kind, ErrorKind::kIo);
        EXPECT_THAT(failure_->message, HasSubstr("make room on the disk and start again"));
        disk_->plan(DiskFault::kNone, 0, 3);
        EXPECT_FALSE(write(**store, written_.tried + 1, random))
            << "a failure is final for the process";
        EXPECT_FALSE((*store)->health());
    }
    disk_->end_process();
    auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    failure_.reset();
    check(**store, kWritten, written_, true);
    work(**store, random, 50);
    EXPECT_FALSE(failure_);
    check(**store, kWritten, written_, true);
}

}  // namespace
}  // namespace posthorn
