#include "engine/queue/audience_import.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "engine/base/random.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"
#include "engine/queue/rocks_store.h"
#include "tests/queue/test_directory.h"

namespace posthorn {
namespace {

namespace fs = std::filesystem;

constexpr CampaignNumber kCampaign = 7;

struct Row {
    std::string domain, local, value;
};

// Few domains and few local parts, so that addresses come again, in either case.
std::vector<Row> random_list(Random& random, std::size_t rows) {
    std::vector<Row> list;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::string domain =
            random.chance(0.5) ? "big.test" : "d" + std::to_string(random.below(40)) + ".test";
        std::string local = "u" + std::to_string(random.below(rows));
        if (random.chance(0.3)) local[0] = 'U';
        list.push_back({domain, local, "row " + std::to_string(i)});
    }
    return list;
}

// What a list becomes, worked out plainly.
struct Expected {
    explicit Expected(const std::vector<Row>& list) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string key =
                audience_key({kCampaign, list[i].domain}, local_key(list[i].local));
            if (audience.emplace(key, list[i].value).second) {
                ++lanes[list[i].domain];
            } else {
                duplicates.insert(i);
            }
        }
    }
    std::map<std::string, std::string> audience;
    std::map<std::string, std::uint64_t> lanes;
    std::multiset<std::uint64_t> duplicates;
};

class AudienceImportTest : public testing::Test {
  protected:
    ImportOptions options() const {
        ImportOptions options;
        options.directory = directory_.path() + "/import/7";
        options.run_bytes = 6000;
        options.file_bytes = 2000;
        options.merged_runs_max = 3;
        return options;
    }
    std::unique_ptr<AudienceImport> open(Store& store) const {
        auto import = AudienceImport::open(store, kCampaign, options());
        EXPECT_TRUE(import) << import.error().message;
        return import ? std::move(import).value() : nullptr;
    }
    // The position is the number of rows consumed.
    static std::size_t consumed(const AudienceImport& import) {
        return import.position().empty() ? 0 : std::stoul(import.position());
    }
    static void add(AudienceImport& import, const std::vector<Row>& list, std::size_t end) {
        for (std::size_t i = consumed(import); i < end; ++i) {
            ASSERT_TRUE(import.add(list[i].domain, list[i].local, list[i].value, i));
            if (!import.run_full()) continue;
            ASSERT_TRUE(import.checkpoint(std::to_string(i + 1)));
        }
    }
    ImportedAudience finish(AudienceImport& import) {
        duplicates_.clear();
        const auto imported = import.finish({[&](std::uint64_t row) {
                                                 duplicates_.insert(row);
                                                 return Status();
                                             },
                                             {}});
        EXPECT_TRUE(imported) << imported.error().message;
        return imported && *imported ? **imported : ImportedAudience{};
    }
    void check(const Store& store, const ImportedAudience& imported, const Expected& expected) {
        EXPECT_EQ(imported.recipients, expected.audience.size());
        EXPECT_EQ(imported.duplicates, expected.duplicates.size());
        EXPECT_EQ(imported.lanes, expected.lanes.size());
        EXPECT_EQ(duplicates_, expected.duplicates);
        std::map<std::string, std::string> audience;
        const auto rows = store.cursor(Family::kAudience, {}, {});
        for (rows->seek({}); rows->valid(); rows->next())
            audience.emplace(rows->key(), rows->value());
        EXPECT_EQ(audience, expected.audience);
        std::map<std::string, std::uint64_t> lanes;
        const auto lane = store.cursor(Family::kLane, {}, {});
        for (lane->seek({}); lane->valid(); lane->next())
            lanes.emplace(parse_lane_key(lane->key())->domain,
                          decode_lane(lane->value())->recipients);
        EXPECT_EQ(lanes, expected.lanes);
        check_order(store, expected);
        EXPECT_EQ(**AudienceImport::ingested(store, kCampaign), imported);
        EXPECT_FALSE(fs::exists(options().directory));
    }
    static void check_order(const Store& store, const Expected& expected) {
        const auto order =
            store.cursor(Family::kLaneOrder, lane_order_key(kCampaign, kFirstLaneBand, {}), {});
        std::map<std::string, std::uint64_t> seen;
        std::uint64_t size_before = ~std::uint64_t{0};
        for (order->seek({}); order->valid(); order->next()) {
            const auto key = parse_lane_order_key(order->key());
            ASSERT_TRUE(key);
            const std::uint64_t size = ByteReader(order->value()).varint();
            EXPECT_EQ(key->band, lane_band(size));
            EXPECT_LT(size, size_before * 2);
            size_before = size;
            seen.emplace(key->domain, size);
        }
        EXPECT_EQ(seen, expected.lanes);
    }

    TestDirectory directory_;
    std::multiset<std::uint64_t> duplicates_;
};

TEST_F(AudienceImportTest, AListBecomesAudienceLanesAndLaneOrder) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Random random(seed);
        const std::vector<Row> list = random_list(random, 1 + random.below(1500));
        const auto store = make_memory_store();
        const auto import = open(*store);
        add(*import, list, list.size());
        ASSERT_TRUE(import->checkpoint(std::to_string(list.size())));
        check(*store, finish(*import), Expected(list));
    }
}

TEST_F(AudienceImportTest, TheStoreOnDiskTakesTheSame) {
    Random random(3);
    const std::vector<Row> list = random_list(random, 1000);
    auto store = open_rocks_store(directory_.path() + "/store");
    ASSERT_TRUE(store);
    const auto import = open(**store);
    add(*import, list, list.size());
    check(**store, finish(*import), Expected(list));
}

TEST_F(AudienceImportTest, AKilledImportGoesOnAtItsLastCheckpoint) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Random random(seed);
        const std::vector<Row> list = random_list(random, 1000);
        const auto store = make_memory_store();
        std::size_t reached = 0;
        for (int lives = 0; lives < 5; ++lives) {
            const auto import = open(*store);
            EXPECT_GE(consumed(*import), reached);
            reached = consumed(*import);
            add(*import, list, reached + random.below(list.size() - reached + 1));
        }
        EXPECT_GT(reached, 0U);
        const auto import = open(*store);
        add(*import, list, list.size());
        check(*store, finish(*import), Expected(list));
    }
}

TEST_F(AudienceImportTest, AnImportKilledInItsMergeMergesAgain) {
    Random random(5);
    const std::vector<Row> list = random_list(random, 1000);
    const auto store = make_memory_store();
    const auto stop = [](std::uint64_t, std::uint64_t rows) { return rows == 0; };
    {
        const auto import = open(*store);
        add(*import, list, list.size());
        ASSERT_TRUE(import->checkpoint(std::to_string(list.size())));
        const auto stopped = import->finish({{}, stop});
        ASSERT_TRUE(stopped);
        EXPECT_EQ(*stopped, std::nullopt);
        EXPECT_EQ(*AudienceImport::ingested(*store, kCampaign), std::nullopt);
    }
    std::ofstream(options().directory + "/audience-0") << "half a file";
    const auto import = open(*store);
    EXPECT_EQ(consumed(*import), list.size());
    EXPECT_FALSE(fs::exists(options().directory + "/audience-0"));
    check(*store, finish(*import), Expected(list));
}

TEST_F(AudienceImportTest, AnImportWhoseProcessIsKilledInTheMergeIsMadeByTheNext) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Random random(6);
    const std::vector<Row> list = random_list(random, 400);
    const std::string path = directory_.path() + "/store";
    const auto import_and_die = [&] {
        auto store = open_rocks_store(path);
        const auto import = open(**store);
        add(*import, list, list.size());
        if (!import->checkpoint(std::to_string(list.size()))) return;
        (void)import->finish({[](std::uint64_t) -> Status {
                                  ::kill(::getpid(), SIGKILL);
                                  return {};
                              },
                              {}});
    };
    EXPECT_EXIT(import_and_die(), testing::KilledBySignal(SIGKILL), "");
    auto store = open_rocks_store(path);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ(*AudienceImport::ingested(**store, kCampaign), std::nullopt);
    const auto import = open(**store);
    EXPECT_EQ(consumed(*import), list.size());
    check(**store, finish(*import), Expected(list));
}

TEST_F(AudienceImportTest, AnImportKilledAfterTheIngestionIsDone) {
    const std::vector<Row> list = {{"a.test", "ann", "1"}, {"a.test", "Ann", "2"}};
    const auto store = make_memory_store();
    const auto first = open(*store);
    add(*first, list, list.size());
    ASSERT_TRUE(first->checkpoint("2"));
    const ImportedAudience imported = finish(*first);
    EXPECT_EQ(imported, (ImportedAudience{1, 1, 1, "2"}));
    fs::create_directories(options().directory);
    std::ofstream(options().directory + "/manifest") << "left behind";
    const auto second = open(*store);
    EXPECT_EQ(second->done(), imported);
    EXPECT_EQ(finish(*second), imported);
    EXPECT_FALSE(fs::exists(options().directory));
}

TEST_F(AudienceImportTest, AnEmptyAudienceIsImportedToo) {
    const auto store = make_memory_store();
    EXPECT_EQ(finish(*open(*store)), ImportedAudience{});
    EXPECT_TRUE(AudienceImport::ingested(*store, kCampaign)->has_value());
}

TEST_F(AudienceImportTest, ADiscardedImportLeavesNothing) {
    const auto store = make_memory_store();
    const auto import = open(*store);
    add(*import, {{"a.test", "ann", "1"}}, 1);
    ASSERT_TRUE(import->checkpoint("1"));
    ASSERT_TRUE(import->discard());
    EXPECT_FALSE(fs::exists(options().directory));
}

TEST_F(AudienceImportTest, ARowTooLargeIsRefused) {
    const auto store = make_memory_store();
    const auto import = open(*store);
    const Status status = import->add("a.test", "ann", std::string(1 << 20, 'x'), 9);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(import->add("a.test", "ann", std::string(1000'000, 'x'), 9));
    EXPECT_EQ(finish(*import).recipients, 1U);
}

TEST_F(AudienceImportTest, ARunIsSpilledWhenItsCallerIsLateWithACheckpoint) {
    Random random(2);
    const std::vector<Row> list = random_list(random, 1000);
    const auto store = make_memory_store();
    const auto import = open(*store);
    for (std::size_t i = 0; i < list.size(); ++i)
        ASSERT_TRUE(import->add(list[i].domain, list[i].local, list[i].value, i));
    EXPECT_TRUE(fs::exists(options().directory + "/run-1"));
    EXPECT_FALSE(fs::exists(options().directory + "/manifest"));
    check(*store, finish(*import), Expected(list));
}

class DamagedImportTest : public AudienceImportTest {
  protected:
    void SetUp() override {
        Random random(2);
        const std::vector<Row> list = random_list(random, 500);
        const auto import = open(*store_);
        add(*import, list, list.size());
        ASSERT_TRUE(import->checkpoint("500"));
    }
    void change(const std::string& name, std::streamoff offset) {
        std::fstream file(options().directory + "/" + name,
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(offset);
        const int byte = file.get();
        file.seekp(offset);
        file.put(static_cast<char>(byte ^ 0x20));
        ASSERT_TRUE(file.good());
    }
    void expect_corrupt_merge() {
        const auto import = open(*store_);
        const auto imported = import->finish({});
        ASSERT_FALSE(imported);
        EXPECT_EQ(imported.error().kind, ErrorKind::kCorrupt);
        EXPECT_NE(imported.error().message.find("run-"), std::string::npos);
        EXPECT_EQ(store_->approximate_count(Family::kAudience), 0U);
    }

    std::unique_ptr<Store> store_ = make_memory_store();
};

TEST_F(DamagedImportTest, ADamagedRecordIsFound) {
    change("run-0", 40);
    expect_corrupt_merge();
}

TEST_F(DamagedImportTest, ADamagedHeaderIsFound) {
    change("run-0", 0);
    expect_corrupt_merge();
}

TEST_F(DamagedImportTest, AShortenedRunIsFound) {
    const std::string run = options().directory + "/run-1";
    fs::resize_file(run, fs::file_size(run) - 1);
    const auto import = AudienceImport::open(*store_, kCampaign, options());
    ASSERT_FALSE(import);
    EXPECT_EQ(import.error().kind, ErrorKind::kCorrupt);
}

TEST_F(DamagedImportTest, ADamagedManifestIsFound) {
    for (const std::streamoff offset : {0, 3, 8}) {
        change("manifest", offset);
        const auto import = AudienceImport::open(*store_, kCampaign, options());
        ASSERT_FALSE(import);
        EXPECT_EQ(import.error().kind, ErrorKind::kCorrupt);
        change("manifest", offset);
    }
    EXPECT_TRUE(AudienceImport::open(*store_, kCampaign, options()));
}

TEST_F(DamagedImportTest, RunsOfAnotherCampaignAreNotTaken) {
    auto other = AudienceImport::open(*store_, kCampaign + 1, options());
    ASSERT_TRUE(other);
    EXPECT_EQ((*other)->position(), "");
    EXPECT_EQ(finish(**other).recipients, 0U);
}

}  // namespace
}  // namespace posthorn
