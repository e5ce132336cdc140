// What every store owes, held against both.
#include "engine/queue/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "engine/base/random.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/rocks_store.h"
#include "tests/queue/test_directory.h"

namespace posthorn {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

class Stores : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        if (GetParam()) {
            auto opened = open_rocks_store(directory_.path() + "/store");
            ASSERT_TRUE(opened) << opened.error().message;
            store_ = std::move(opened).value();
        } else {
            store_ = make_memory_store();
        }
    }

    void put(std::string_view key, std::string_view value, Family family = Family::kState) {
        WriteBatch batch;
        batch.put(family, key, value);
        ASSERT_TRUE(store_->write(batch));
    }
    std::optional<std::string> get(std::string_view key, Family family = Family::kState) {
        auto value = store_->get(family, key);
        EXPECT_TRUE(value);
        return *value;
    }
    static Rows walk(Cursor& cursor, std::string_view from = {}) {
        Rows rows;
        for (cursor.seek(from); cursor.valid(); cursor.next())
            rows.emplace_back(cursor.key(), cursor.value());
        EXPECT_TRUE(cursor.status());
        return rows;
    }
    Rows rows(Family family = Family::kState, std::string_view lower = {},
              std::string_view upper = {}) {
        return walk(*store_->cursor(family, lower, upper));
    }
    SortedFile file(Family family, const std::string& name, const Rows& rows) {
        const std::string path = directory_.path() + "/" + name;
        auto writer = store_->sorted_file(family, path);
        EXPECT_TRUE(writer);
        for (const auto& [key, value] : rows) EXPECT_TRUE((*writer)->put(key, value));
        EXPECT_EQ((*writer)->entries(), rows.size());
        EXPECT_TRUE((*writer)->finish());
        return {family, path};
    }

    TestDirectory directory_;
    std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Both, Stores, testing::Bool(),
                         [](const auto& param) { return param.param ? "Rocks" : "Memory"; });

TEST_P(Stores, GiveBackWhatWasPut) {
    put("a", "1");
    EXPECT_EQ(get("a"), "1");
    EXPECT_EQ(get("b"), std::nullopt);
    EXPECT_EQ(get("a", Family::kLease), std::nullopt);
    put("a", "2");
    EXPECT_EQ(get("a"), "2");
    put("", "empty key");
    put("empty value", "");
    EXPECT_EQ(get(""), "empty key");
    EXPECT_EQ(get("empty value"), "");
}

TEST_P(Stores, ApplyABatchInItsOrder) {
    put("b", "old");
    WriteBatch batch;
    batch.put(Family::kState, "a", "1");
    batch.put(Family::kState, "a", "2");
    batch.put(Family::kState, "c", "3");
    batch.erase(Family::kState, "c");
    batch.erase_range(Family::kState, "a", "c");
    batch.put(Family::kState, "b", "new");
    batch.put(Family::kLease, "x", "y");
    ASSERT_TRUE(store_->write(batch));
    EXPECT_EQ(rows(), (Rows{{"b", "new"}}));
    EXPECT_EQ(rows(Family::kLease), (Rows{{"x", "y"}}));
}

TEST_P(Stores, EraseARangeWithoutItsEnd) {
    for (const char* key : {"a", "b", "b\xff", "c", "d"}) put(key, "v");
    WriteBatch batch;
    batch.erase_range(Family::kState, "b", "c");
    ASSERT_TRUE(store_->write(batch));
    EXPECT_EQ(rows(), (Rows{{"a", "v"}, {"c", "v"}, {"d", "v"}}));
}

TEST_P(Stores, WalkInByteOrderWithinBounds) {
    for (const std::string_view key : {std::string_view("\0x", 2), std::string_view("a"),
                                       std::string_view("b"), std::string_view("\xff\xff")})
        put(key, "v");
    EXPECT_EQ(rows().size(), 4U);
    EXPECT_EQ(rows().back().first, "\xff\xff");
    EXPECT_EQ(rows(Family::kState, "a", "b"), (Rows{{"a", "v"}}));
    EXPECT_EQ(rows(Family::kState, "b").size(), 2U);
    EXPECT_TRUE(rows(Family::kState, "c", "d").empty());
    // A seek before the lower bound stands at the lower bound.
    auto cursor = store_->cursor(Family::kState, "b", "");
    EXPECT_FALSE(cursor->valid());
    cursor->seek("a");
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(cursor->key(), "b");
    cursor->seek("bb");
    EXPECT_EQ(cursor->key(), "\xff\xff");
    cursor->next();
    EXPECT_FALSE(cursor->valid());
    cursor->seek("b");
    EXPECT_TRUE(cursor->valid());
}

TEST_P(Stores, ShowACursorTheStateAtItsCreation) {
    put("a", "1");
    put("b", "1");
    put("d", "1");
    auto before = store_->cursor(Family::kState, {}, {});
    before->seek("a");
    const std::string_view value = before->value();
    put("a", "2");
    EXPECT_EQ(value, "1");
    auto between = store_->cursor(Family::kState, {}, {});
    WriteBatch batch;
    batch.erase(Family::kState, "b");
    batch.put(Family::kState, "c", "2");
    batch.erase_range(Family::kState, "d", "e");
    ASSERT_TRUE(store_->write(batch));
    put("a", "3");
    EXPECT_EQ(walk(*before), (Rows{{"a", "1"}, {"b", "1"}, {"d", "1"}}));
    EXPECT_EQ(walk(*between), (Rows{{"a", "2"}, {"b", "1"}, {"d", "1"}}));
    EXPECT_EQ(rows(), (Rows{{"a", "3"}, {"c", "2"}}));
    before.reset();
    EXPECT_EQ(walk(*between), (Rows{{"a", "2"}, {"b", "1"}, {"d", "1"}}));
    between.reset();
    EXPECT_EQ(rows(), (Rows{{"a", "3"}, {"c", "2"}}));
    EXPECT_EQ(get("b"), std::nullopt);
}

TEST_P(Stores, BehaveLikeASortedMap) {
    Random random(17);
    std::map<std::string, std::string> model;
    const auto key = [&] {
        return std::string(1 + random.below(2), static_cast<char>('a' + random.below(20)));
    };
    for (int round = 0; round < 200; ++round) {
        WriteBatch batch;
        for (std::uint64_t left = random.below(5); left > 0; --left) {
            const std::string one = key();
            if (random.chance(0.6)) {
                const std::string value = std::to_string(random.below(1000));
                batch.put(Family::kOutcome, one, value);
                model[one] = value;
            } else if (random.chance(0.8)) {
                batch.erase(Family::kOutcome, one);
                model.erase(one);
            } else {
                const std::string end = one + "m";
                batch.erase_range(Family::kOutcome, one, end);
                model.erase(model.lower_bound(one), model.lower_bound(end));
            }
        }
        ASSERT_TRUE(store_->write(batch));
        const std::string probe = key();
        const auto found = model.find(probe);
        ASSERT_EQ(get(probe, Family::kOutcome),
                  found == model.end() ? std::nullopt : std::optional(found->second));
        ASSERT_EQ(rows(Family::kOutcome, probe), Rows(model.lower_bound(probe), model.end()));
    }
}

TEST_P(Stores, TakeSortedFilesTogether) {
    put("m", "kept");
    const std::vector<SortedFile> files = {file(Family::kAudience, "one", {{"a", "1"}, {"b", "2"}}),
                                           file(Family::kAudience, "two", {{"c", "3"}, {"d", "4"}}),
                                           file(Family::kLane, "three", {{"a", "5"}})};
    EXPECT_TRUE(rows(Family::kAudience).empty());
    const auto before = store_->cursor(Family::kAudience, {}, {});
    const Status taken = store_->ingest(files);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_TRUE(walk(*before).empty());
    EXPECT_EQ(rows(Family::kAudience).size(), 4U);
    EXPECT_EQ(get("a", Family::kLane), "5");
    EXPECT_EQ(rows(), (Rows{{"m", "kept"}}));
    put("a", "newer", Family::kAudience);
    EXPECT_EQ(get("a", Family::kAudience), "newer");
}

TEST_P(Stores, RefuseFilesThatOverlapEachOther) {
    const std::vector<SortedFile> files = {file(Family::kAudience, "one", {{"a", "1"}, {"c", "2"}}),
                                           file(Family::kAudience, "two", {{"b", "3"}, {"d", "4"}}),
                                           file(Family::kLane, "three", {{"b", "5"}})};
    const Status status = store_->ingest(files);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kConflict);
    EXPECT_TRUE(rows(Family::kAudience).empty());
    EXPECT_TRUE(rows(Family::kLane).empty());
}

TEST_P(Stores, RefuseFilesOverKeysThatAreThere) {
    put("b", "there", Family::kAudience);
    const std::vector<SortedFile> files = {
        file(Family::kLane, "one", {{"x", "1"}}),
        file(Family::kAudience, "two", {{"a", "1"}, {"c", "2"}})};
    const Status status = store_->ingest(files);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(rows(Family::kAudience), (Rows{{"b", "there"}}));
    EXPECT_TRUE(rows(Family::kLane).empty());
}

TEST_P(Stores, TakeFilesOverKeysThatAreErased) {
    put("b", "gone soon", Family::kAudience);
    WriteBatch batch;
    batch.erase_range(Family::kAudience, "a", "z");
    ASSERT_TRUE(store_->write(batch));
    ASSERT_TRUE(store_->ingest({file(Family::kAudience, "one", {{"a", "1"}, {"c", "2"}})}));
    EXPECT_EQ(rows(Family::kAudience), (Rows{{"a", "1"}, {"c", "2"}}));
}

TEST_P(Stores, RefuseSortedFilesThatAreNotSortedOrEmpty) {
    auto writer = store_->sorted_file(Family::kAudience, directory_.path() + "/f");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->put("b", "1"));
    EXPECT_FALSE((*writer)->put("b", "2"));
    EXPECT_FALSE((*writer)->put("a", "2"));
    auto empty = store_->sorted_file(Family::kAudience, directory_.path() + "/g");
    ASSERT_TRUE(empty);
    EXPECT_FALSE((*empty)->finish());
    EXPECT_FALSE(store_->ingest({{Family::kAudience, directory_.path() + "/none"}}));
}

TEST_P(Stores, ShowWholeBatchesToOtherThreads) {
    constexpr int kBatches = 300;
    put("a", "0");
    put("b", "0");
    std::atomic<bool> done = false;
    std::thread writer([&] {
        WriteBatch batch;
        for (int i = 1; i <= kBatches; ++i) {
            batch.clear();
            batch.put(Family::kState, "a", std::to_string(i));
            batch.erase(Family::kState, "b");
            batch.put(Family::kState, "b", std::to_string(i));
            batch.put(Family::kState, "c" + std::to_string(i), "");
            EXPECT_TRUE(store_->write(batch, Store::Sync::kRelaxed));
        }
        done = true;
    });
    do {
        const Rows seen = rows();
        ASSERT_GE(seen.size(), 2U);
        EXPECT_EQ(seen[0].second, seen[1].second);
        EXPECT_EQ(seen.size(), 2 + std::stoul(seen[0].second));
    } while (!done);
    writer.join();
    EXPECT_EQ(get("b"), std::to_string(kBatches));
}

TEST_P(Stores, CountApproximatelyAndCompactOnRequest) {
    for (int i = 0; i < 100; ++i) put(std::to_string(i), "v");
    EXPECT_NEAR(static_cast<double>(store_->approximate_count(Family::kState)), 100, 10);
    store_->compact(Family::kState, "1", "2");
    EXPECT_EQ(rows().size(), 100U);
    EXPECT_TRUE(store_->health());
}

}  // namespace
}  // namespace posthorn
