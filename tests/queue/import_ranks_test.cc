#include "engine/queue/import_ranks.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "engine/base/bytes.h"
#include "engine/base/random.h"
#include "engine/queue/audience_import.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "tests/queue/test_directory.h"

namespace posthorn {
namespace {

constexpr CampaignNumber kCampaign = 7;

// Every recipient stands in the order family once, by rank within its domain, whether its lane fits
// into memory or is sorted in runs.
TEST(AudienceImportRanks, ARankedImportOrdersEveryLane) {
    Random random(3);
    const TestDirectory directory;
    for (const std::size_t rows : {50u, 3000u}) {
        const auto store = make_memory_store();
        ImportOptions options{directory.path() + "/import"};
        options.ranked = true;
        auto import = AudienceImport::open(*store, kCampaign, options);
        ASSERT_TRUE(import) << import.error().message;
        std::map<std::string, std::uint64_t> ranks;  // by audience key; the first row counts
        for (std::size_t i = 0; i < rows; ++i) {
            const std::uint64_t rank = random.below(5);
            const std::string domain =
                random.chance(0.5) ? "big.test" : "d" + std::to_string(random.below(40)) + ".test";
            const std::string local = "u" + std::to_string(random.below(rows));
            ranks.emplace(audience_key({kCampaign, domain}, local_key(local)), rank);
            ASSERT_TRUE((*import)->add_ranked(domain, local, "row " + std::to_string(i), i, rank));
            if (i % 97 == 0) {
                ASSERT_TRUE((*import)->checkpoint("p"));
            }
        }
        ASSERT_TRUE((*import)->checkpoint("p"));
        const auto done = (*import)->finish({});
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ((*done)->recipients, ranks.size());
        std::set<std::string> expected, found;
        for (const auto& [key, rank] : ranks) {
            const auto parsed = parse_audience_key(key);
            std::string position;
            append_lane_prefix(position, kCampaign, parsed->domain);
            put_u64(position, rank);
            position += parsed->local;
            expected.insert(position);
            const auto row = store->get(Family::kAudience, key);
            ASSERT_TRUE(row && *row);
            EXPECT_TRUE((**row).starts_with("row "));
        }
        const auto cursor = store->cursor(Family::kOrder, {}, {});
        for (cursor->seek({}); cursor->valid(); cursor->next()) found.emplace(cursor->key());
        EXPECT_EQ(found, expected);
    }
}

TEST(AudienceImportRanks, ALargeLaneIsSortedInRuns) {
    const TestDirectory directory;
    const auto store = make_memory_store();
    std::filesystem::create_directories((directory.path() + "/ranks"));
    LaneRanks ranks((directory.path() + "/ranks") + "/rank-", 2000);
    SortedFiles order(*store, Family::kOrder, (directory.path() + "/ranks") + "/order-", 1 << 20);
    Random random(5);
    std::multiset<std::string> expected;
    for (int lane = 0; lane < 3; ++lane) {
        const std::string prefix = "lane" + std::to_string(lane);
        for (int i = 0; i < (lane == 1 ? 5 : 500); ++i) {
            const std::uint64_t rank = random.below(7);
            const std::string local = "local" + std::to_string(1000 + i);
            ASSERT_TRUE(ranks.add(rank, local));
            std::string key = prefix;
            put_u64(key, rank);
            expected.insert(key + local);
        }
        ASSERT_TRUE(ranks.write(prefix, order));
    }
    std::vector<SortedFile> files;
    ASSERT_TRUE(order.finish(files));
    ASSERT_TRUE(store->ingest(files));
    std::multiset<std::string> found;
    const auto cursor = store->cursor(Family::kOrder, {}, {});
    for (cursor->seek({}); cursor->valid(); cursor->next()) found.emplace(cursor->key());
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace posthorn
