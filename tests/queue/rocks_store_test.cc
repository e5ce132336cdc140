// What only a store on disk owes: to keep, to be whole after a crash, to stop for good when it
// cannot write.
#include "engine/queue/rocks_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/queue/keys.h"
#include "tests/queue/test_directory.h"

namespace posthorn {
namespace {

class RocksStoreTest : public testing::TestWithParam<Durability> {
  protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

    std::string directory() const { return directory_.path() + "/store"; }
    std::unique_ptr<Store> open(Durability durability = Durability::kPower) const {
        RocksOptions options;
        options.durability = durability;
        auto opened = open_rocks_store(directory(), options);
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? std::move(opened).value() : nullptr;
    }
    static Status put(Store& store, std::string_view key, std::string_view value) {
        WriteBatch batch;
        batch.put(Family::kState, key, value);
        batch.put(Family::kOutcome, key, value);
        return store.write(batch);
    }

    TestDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Levels, RocksStoreTest,
                         testing::Values(Durability::kPower, Durability::kProcess,
                                         Durability::kNone),
                         [](const auto& level) { return std::string(name_of(level.param)); });

TEST_P(RocksStoreTest, KeepsWhatWasWrittenWhenItIsClosed) {
    ASSERT_TRUE(put(*open(GetParam()), "a", "1"));
    const auto store = open(GetParam());
    EXPECT_EQ(*store->get(Family::kState, "a"), "1");
    EXPECT_EQ(*store->get(Family::kOutcome, "a"), "1");
    EXPECT_EQ(store->durability(), GetParam());
    EXPECT_GT(store->bytes_on_disk(), 0U);
}

// Writes batches of two families until killed, saying in a file how many were acknowledged.
void write_and_die(Store& store, const std::string& acknowledged) {
    const std::string filler(500, 'x');
    for (int i = 0; i < 3000; ++i) {
        WriteBatch batch;
        batch.put(Family::kState, sequence_key(static_cast<std::uint64_t>(i)), filler);
        batch.put(Family::kOutcome, sequence_key(static_cast<std::uint64_t>(i)), filler);
        if (!store.write(batch, i % 50 == 0 ? Store::Sync::kDurable : Store::Sync::kRelaxed))
            return;
        if (i % 100 == 0) std::ofstream(acknowledged) << i;
    }
    ::kill(::getpid(), SIGKILL);
}

using RocksStoreDeathTest = RocksStoreTest;
INSTANTIATE_TEST_SUITE_P(Logged, RocksStoreDeathTest,
                         testing::Values(Durability::kPower, Durability::kProcess),
                         [](const auto& level) { return std::string(name_of(level.param)); });

TEST_P(RocksStoreDeathTest, HasWhatItAcknowledgedAfterItsProcessWasKilled) {
    const std::string acknowledged = directory_.path() + "/acknowledged";
    EXPECT_EXIT(write_and_die(*open(GetParam()), acknowledged), testing::KilledBySignal(SIGKILL),
                "");
    int last = -1;
    std::ifstream(acknowledged) >> last;
    ASSERT_GE(last, 2900);
    const auto store = open(GetParam());
    for (const Family family : {Family::kState, Family::kOutcome}) {
        const auto cursor = store->cursor(family, {}, {});
        cursor->seek({});
        for (int i = 0; i <= last; ++i, cursor->next()) {
            ASSERT_TRUE(cursor->valid());
            ASSERT_EQ(cursor->key(), sequence_key(static_cast<std::uint64_t>(i)));
        }
    }
}

TEST_F(RocksStoreTest, HasWholeBatchesAfterItsLogWasCutAnywhere) {
    {
        const auto store = open();
        for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(*store, std::to_string(i), "v"));
    }
    std::filesystem::path log;
    for (const auto& entry : std::filesystem::directory_iterator(directory()))
        if (entry.path().extension() == ".log") log = entry.path();
    ASSERT_FALSE(log.empty());
    const auto size = std::filesystem::file_size(log);
    std::size_t before = 51;
    for (const std::uintmax_t cut : {size - 1, size - 40, size / 2, size / 5}) {
        const std::string copy = directory_.path() + "/copy";
        std::filesystem::remove_all(copy);
        std::filesystem::copy(directory(), copy);
        std::filesystem::resize_file(copy + "/" + log.filename().string(), cut);
        auto store = open_rocks_store(copy);
        ASSERT_TRUE(store) << store.error().message;
        std::size_t states = 0, outcomes = 0;
        const auto state = (*store)->cursor(Family::kState, {}, {});
        for (state->seek({}); state->valid(); state->next()) ++states;
        const auto outcome = (*store)->cursor(Family::kOutcome, {}, {});
        for (outcome->seek({}); outcome->valid(); outcome->next()) ++outcomes;
        EXPECT_EQ(states, outcomes);
        EXPECT_LT(states, before);
        before = states + 1;
    }
}

// RocksDB 7.8 cannot always read a log that it compressed.
TEST_F(RocksStoreTest, WritesItsLogInTheClear) {
    const std::string value(2'000, 'x');
    const auto store = open(Durability::kProcess);
    ASSERT_TRUE(put(*store, "a", value));
    std::string logs;
    for (const auto& entry : std::filesystem::directory_iterator(directory()))
        if (entry.path().extension() == ".log") {
            std::ifstream in(entry.path(), std::ios::binary);
            logs.append(std::istreambuf_iterator<char>(in), {});
        }
    EXPECT_NE(logs.find(value), std::string::npos);
}

TEST_F(RocksStoreTest, LeavesNoLogForEachTimeThatItIsOpened) {
    ASSERT_TRUE(put(*open(), "a", "1"));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(*open()->get(Family::kState, "a"), "1");
    int logs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory()))
        logs += entry.path().extension() == ".log" ? 1 : 0;
    EXPECT_LE(logs, 2);
    EXPECT_EQ(*open()->get(Family::kState, "a"), "1");
}

TEST_F(RocksStoreTest, TellsASecondOwnerThatItIsBusy) {
    const auto store = open();
    const auto second = open_rocks_store(directory());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
    EXPECT_EQ(second.error().message, "another process owns the store in " + directory());
}

TEST_F(RocksStoreTest, TellsAnotherProcessThatItIsBusy) {
    const auto store = open();
    const auto second = [&] {
        const auto opened = open_rocks_store(directory());
        ::_exit(!opened && opened.error().kind == ErrorKind::kBusy ? 42 : 1);
    };
    // The second process makes a store of its own name first: it has to lose.
    EXPECT_EXIT(second(), testing::ExitedWithCode(42), "");
}

TEST_F(RocksStoreTest, RefusesADirectoryOfAnotherVersion) {
    open().reset();
    std::ofstream(directory() + "/FORMAT") << "posthorn store, format 7\n";
    const auto store = open_rocks_store(directory());
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().kind, ErrorKind::kConflict);
    EXPECT_NE(store.error().message.find("format 7"), std::string::npos) << store.error().message;
}

TEST_F(RocksStoreTest, RefusesADatabaseThatIsNotPosthorns) {
    open().reset();
    std::filesystem::remove(directory() + "/FORMAT");
    const auto store = open_rocks_store(directory());
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().kind, ErrorKind::kConflict);
}

TEST_F(RocksStoreTest, KeepsItsDirectoryPrivate) {
    open().reset();
    struct stat found {};
    ASSERT_EQ(::stat(directory().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0700U);
}

TEST_F(RocksStoreTest, SaysWhereADirectoryCannotBeMade) {
    std::ofstream(directory_.path() + "/file") << "x";
    const auto store = open_rocks_store(directory_.path() + "/file/store");
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().kind, ErrorKind::kIo);
    EXPECT_NE(store.error().message.find("/file"), std::string::npos);
}

// Fails a write by a limit on the size of files, lifts the limit, and writes again.
int write_beyond_the_limit(Store& store) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{1 << 16, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    WriteBatch batch;
    std::string noise(1 << 20, '\0');
    std::uint32_t state = 1;
    for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    batch.put(Family::kState, "large", noise);
    const Status first = store.write(batch);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (first) return 1;
    if (first.error().kind != ErrorKind::kIo) return 2;
    batch.clear();
    batch.put(Family::kState, "small", "v");
    if (store.write(batch)) return 3;
    if (store.health()) return 4;
    if (store.health().error().message != first.error().message) return 5;
    return 42;
}

TEST_F(RocksStoreTest, WritesNothingMoreOnceAWriteHasFailed) {
    EXPECT_EXIT(::_exit(write_beyond_the_limit(*open())), testing::ExitedWithCode(42), "");
    const auto store = open();
    EXPECT_EQ(*store->get(Family::kState, "small"), std::nullopt);
    EXPECT_TRUE(put(*store, "small", "v"));
}

}  // namespace
}  // namespace posthorn
