#include "engine/delivery/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/bytes.h"
#include "engine/base/random.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tests/delivery/stored_audience.h"

namespace posthorn {
namespace {

using std::chrono::seconds;

const WallTime kNow = wall_from_micros(1'800'000'000'000'000);

class ReaderTest : public testing::Test {
  protected:
    static std::vector<std::string> locals(std::size_t count) {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back("u" + std::to_string(i));
        return all;
    }
    static std::vector<std::string> sorted_keys(const std::vector<std::string>& locals) {
        std::vector<std::string> keys;
        for (const std::string& local : locals) keys.push_back(local_key(local));
        std::sort(keys.begin(), keys.end());
        return keys;
    }
    void put_outcome(const LaneId& lane, std::string_view local, WallTime due = {}) {
        OutcomeRecord outcome;
        outcome.state = due == WallTime() ? OutcomeState::kDelivered : OutcomeState::kDeferred;
        outcome.next_due = due;
        outcome.attempts = 3;
        WriteBatch batch;
        batch.put(Family::kOutcome, audience_key(lane, local), encode(outcome));
        if (due != WallTime()) batch.put(Family::kRetry, retry_key(lane, due, local), {});
        ASSERT_TRUE(store_->write(batch));
    }
    void put_mark(const LaneId& lane, std::uint64_t recipients, const std::string& mark) {
        WriteBatch batch;
        batch.put(Family::kLane, lane_key(lane), encode(LaneRecord{recipients, {}, mark}));
        ASSERT_TRUE(store_->write(batch));
    }
    template <class Answer, class Request>
    Answer ask(const Request& request) {
        ReaderAnswer answer = reader_.answer(request);
        if (auto* failed = std::get_if<ReadFailed>(&answer)) ADD_FAILURE() << failed->error.message;
        Answer* found = std::get_if<Answer>(&answer);
        EXPECT_NE(found, nullptr);
        if (found == nullptr) return {};
        EXPECT_EQ(found->ticket, request.ticket);
        return std::move(*found);
    }
    static std::vector<std::string> keys_of(const std::shared_ptr<const Page>& page) {
        std::vector<std::string> keys;
        for (std::uint32_t i = 0; i < page->items.size(); ++i)
            keys.emplace_back(Recipient(page, i).local());
        return keys;
    }

    std::unique_ptr<Store> store_ = make_memory_store();
    Reader reader_{*store_};
    const LaneId lane_{1, "x.test"};
};

TEST_F(ReaderTest, FreshRowsComeInPagesWithoutThoseThatHaveAnOutcome) {
    Random random(4);
    store_lane(*store_, lane_, locals(200));
    store_lane(*store_, {1, "x.test.longer"}, locals(5));
    store_lane(*store_, {2, "x.test"}, locals(5));
    std::vector<std::string> expected;
    for (const std::string& key : sorted_keys(locals(200))) {
        if (random.chance(0.4)) {
            put_outcome(lane_, key);
        } else {
            expected.push_back(key);
        }
    }
    std::vector<std::string> seen;
    std::string after;
    bool complete = false;
    for (std::uint64_t ticket = 1; !complete; ++ticket) {
        const auto rows_max = static_cast<std::uint32_t>(1 + random.below(30));
        const auto read = ask<RowsRead>(ReadFresh{ticket, lane_, after, rows_max});
        ASSERT_LE(read.page->items.size(), rows_max);
        for (const std::string& key : keys_of(read.page)) seen.push_back(after = key);
        complete = read.complete;
    }
    EXPECT_EQ(seen, expected);
}

TEST_F(ReaderTest, ARowComesWithItsBytes) {
    store_lane(*store_, lane_, {"ann"});
    const auto read = ask<RowsRead>(ReadFresh{1, lane_, "", 10});
    ASSERT_EQ(read.page->items.size(), 1U);
    const Recipient ann(read.page, 0);
    EXPECT_EQ(ann.local(), local_key("ann"));
    EXPECT_EQ(ann.row(), "row of ann");
    EXPECT_FALSE(ann.suppressed());
    EXPECT_FALSE(ann.is_retry());
    EXPECT_EQ(ann.previous(), nullptr);
    EXPECT_TRUE(read.complete);
}

TEST_F(ReaderTest, ReadingBeginsBehindTheLanesMark) {
    store_lane(*store_, lane_, locals(20));
    const auto keys = sorted_keys(locals(20));
    put_mark(lane_, 20, keys[9]);
    const auto read = ask<RowsRead>(ReadFresh{1, lane_, "", 100});
    EXPECT_EQ(keys_of(read.page), std::vector<std::string>(keys.begin() + 10, keys.end()));
}

TEST_F(ReaderTest, WhoIsSuppressedIsMarkedUnlessInQuarantine) {
    store_lane(*store_, lane_, {"ann", "bob", "cid"});
    Suppressions suppressions(*store_);
    ASSERT_TRUE(suppressions.add({"ANN@x.test", "manual", "operator", kNow, false}));
    ASSERT_TRUE(suppressions.add({"bob@x.test", "manual", "operator", kNow, true}));
    put_outcome(lane_, local_key("cid"), kNow);
    ASSERT_TRUE(suppressions.add({"cid@x.test", "manual", "operator", kNow, false}));
    const auto fresh = ask<RowsRead>(ReadFresh{1, lane_, "", 10});
    ASSERT_EQ(fresh.page->items.size(), 2U);
    for (std::uint32_t i = 0; i < 2; ++i) {
        const Recipient recipient(fresh.page, i);
        EXPECT_EQ(recipient.suppressed(), recipient.local() == local_key("ann"));
    }
    const auto due = ask<RowsRead>(ReadDue{2, lane_, kNow, {}, "", 10});
    ASSERT_EQ(due.page->items.size(), 1U);
    EXPECT_TRUE(Recipient(due.page, 0).suppressed());
}

TEST_F(ReaderTest, LanesOpenInTheirOrderEachRowOnce) {
    Random random(8);
    std::map<std::string, std::vector<std::string>> expected;
    for (int i = 0; i < 60; ++i) {
        const std::string domain = "d" + std::to_string(i) + ".test";
        const std::size_t size = random.chance(0.1) ? 600 : 1 + random.below(12);
        store_lane(*store_, {1, domain}, locals(size));
        const auto keys = sorted_keys(locals(size));
        std::size_t marked = 0;
        if (size == 600) put_mark({1, domain}, size, keys[(marked = 100) - 1]);
        for (std::size_t k = 0; k < keys.size(); ++k) {
            if (k < marked || random.chance(0.3)) {
                put_outcome({1, domain}, keys[k]);
            } else {
                expected[domain].push_back(keys[k]);
            }
        }
    }
    std::map<std::string, std::vector<std::string>> seen;
    std::string after;
    std::uint64_t size_before = ~std::uint64_t{0};
    for (std::uint64_t ticket = 1;; ++ticket) {
        const auto opened = ask<LanesOpened>(OpenLanes{ticket, 1, after, 7, 40, 9});
        ASSERT_LE(opened.lanes.size(), 7U);
        for (const LaneHead& head : opened.lanes) {
            EXPECT_LT(head.recipients / 2, size_before);
            size_before = head.recipients;
            ASSERT_LE(head.count, 9U);
            std::vector<std::string>& keys = seen[head.domain];
            ASSERT_TRUE(keys.empty());
            for (std::uint32_t i = 0; i < head.count; ++i)
                keys.emplace_back(Recipient(opened.page, head.first + i).local());
            const auto& wanted = expected[head.domain];
            EXPECT_EQ(head.complete, wanted.size() == keys.size());
            EXPECT_TRUE(std::equal(keys.begin(), keys.end(), wanted.begin()));
        }
        if (opened.complete) break;
        ASSERT_NE(opened.next_after, after);
        after = opened.next_after;
    }
    for (const auto& [domain, keys] : expected)
        EXPECT_EQ(seen[domain].size(), std::min<std::size_t>(keys.size(), 9)) << domain;
}

TEST_F(ReaderTest, DueRowsComeEarliestFirstInPagesWithTheirOutcomes) {
    store_lane(*store_, lane_, locals(40));
    const auto keys = sorted_keys(locals(40));
    std::set<std::pair<WallTime, std::string>> expected;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const WallTime due = kNow + seconds(static_cast<int>(i % 4));
        put_outcome(lane_, keys[i], due);
        if (due <= kNow + seconds(2)) expected.emplace(due, keys[i]);
    }
    std::vector<std::pair<WallTime, std::string>> seen;
    WallTime after_due;
    std::string after_local;
    for (std::uint64_t ticket = 1;; ++ticket) {
        const auto read =
            ask<RowsRead>(ReadDue{ticket, lane_, kNow + seconds(2), after_due, after_local, 7});
        for (std::uint32_t i = 0; i < read.page->items.size(); ++i) {
            const Recipient recipient(read.page, i);
            ASSERT_TRUE(recipient.is_retry());
            ASSERT_NE(recipient.previous(), nullptr);
            EXPECT_EQ(recipient.previous()->attempts, 3U);
            EXPECT_TRUE(recipient.row().starts_with("row of u"));
            seen.emplace_back(after_due = recipient.due(), after_local = recipient.local());
        }
        if (!read.complete) continue;
        EXPECT_EQ(read.next_due, kNow + seconds(3));
        break;
    }
    EXPECT_EQ(seen,
              (std::vector<std::pair<WallTime, std::string>>(expected.begin(), expected.end())));
    const auto all = ask<RowsRead>(ReadDue{99, lane_, WallTime::max(), {}, "", 100});
    EXPECT_EQ(all.page->items.size(), 40U);
    EXPECT_EQ(all.next_due, std::nullopt);
}

TEST_F(ReaderTest, LanesWithDeferredRowsAreListedWithTheirEarliest) {
    std::map<std::string, WallTime> expected;
    for (int i = 0; i < 30; ++i) {
        const std::string domain = "d" + std::to_string(i) + ".test";
        put_outcome({1, domain}, local_key("b"), kNow + seconds(i + 5));
        put_outcome({1, domain}, local_key("a"), kNow + seconds(i));
        expected.emplace(domain, kNow + seconds(i));
    }
    put_outcome({2, "other.test"}, local_key("a"), kNow);
    std::map<std::string, WallTime> seen;
    std::string after;
    for (std::uint64_t ticket = 1;; ++ticket) {
        const auto listed = ask<DeferredLanes>(ListDeferredLanes{ticket, 1, after, 7});
        ASSERT_LE(listed.lanes.size(), 7U);
        for (const auto& lane : listed.lanes) EXPECT_TRUE(seen.insert(lane).second);
        after = listed.next_after;
        if (listed.complete) break;
    }
    EXPECT_EQ(seen, expected);
}

TEST_F(ReaderTest, DamagedRecordsAreAFailureWithTheTicket) {
    store_lane(*store_, lane_, {"ann"});
    WriteBatch batch;
    batch.put(Family::kOutcome, audience_key(lane_, local_key("ann")), "damaged");
    batch.put(Family::kRetry, retry_key(lane_, kNow, local_key("ann")), {});
    ASSERT_TRUE(store_->write(batch));
    const ReaderAnswer answer = reader_.answer(ReadDue{7, lane_, kNow, {}, "", 10});
    const auto* failed = std::get_if<ReadFailed>(&answer);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->ticket, 7U);
    EXPECT_EQ(failed->error.kind, ErrorKind::kCorrupt);
}

// With priorities, rows come by rank; a mark and the place to go on are positions.
TEST_F(ReaderTest, RankedRowsComeByRankWithoutThoseThatHaveAnOutcome) {
    Random random(9);
    store_lane(*store_, lane_, locals(60));
    store_lane(*store_, {1, "other.test"}, locals(3));
    std::vector<std::string> positions;
    WriteBatch batch;
    for (const std::string& local : locals(60)) {
        std::string position;
        put_u64(position, random.below(4));
        position += local_key(local);
        std::string key;
        append_lane_prefix(key, lane_.campaign, lane_.domain);
        batch.put(Family::kOrder, key + position, {});
        if (random.chance(0.3))
            put_outcome(lane_, local_key(local));
        else
            positions.push_back(position);
    }
    ASSERT_TRUE(store_->write(batch));
    std::sort(positions.begin(), positions.end());
    std::vector<std::string> read;
    std::string after;
    for (bool complete = false; !complete;) {
        const auto answer = ask<RowsRead>(ReadFresh{1, lane_, after, 7});
        for (std::uint32_t i = 0; i < answer.page->items.size(); ++i) {
            const Recipient recipient(answer.page, i);
            read.emplace_back(recipient.position());
            EXPECT_EQ(recipient.local(), recipient.position().substr(kRankBytes));
            EXPECT_FALSE(recipient.row().empty());
        }
        complete = answer.complete;
        if (!read.empty()) after = read.back();
    }
    EXPECT_EQ(read, positions);

    put_mark(lane_, 60, positions[9]);
    const auto marked = ask<RowsRead>(ReadFresh{2, lane_, {}, 5});
    EXPECT_EQ(Recipient(marked.page, 0).position(), positions[10]);
    const auto opened = ask<LanesOpened>(OpenLanes{3, 1, {}, 10, 100, 4});
    ASSERT_EQ(opened.lanes.size(), 1u);  // the lane without ranks has no rows to give
    EXPECT_EQ(opened.lanes[0].count, 4u);
}

}  // namespace
}  // namespace posthorn
