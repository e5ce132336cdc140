#include "engine/delivery/lane.h"

#include <gtest/gtest.h>

#include "engine/delivery/campaign_run.h"

namespace posthorn {
namespace {

// Fresh rows named by their local keys, in a page of their own.
std::vector<Recipient> rows(const std::vector<std::string>& locals) {
    auto page = std::make_shared<Page>();
    for (const std::string& local : locals) {
        Page::Item item;
        item.local_at = static_cast<std::uint32_t>(page->bytes.size());
        item.local_bytes = static_cast<std::uint16_t>(local.size());
        page->bytes += local;
        page->items.push_back(item);
    }
    std::vector<Recipient> recipients;
    for (std::uint32_t i = 0; i < locals.size(); ++i) recipients.emplace_back(page, i);
    return recipients;
}

struct LaneTest : testing::Test {
    CampaignRun run{CampaignPlan{}};
    Lane lane{{1, "a.test"}, run};
};

TEST_F(LaneTest, WhatComesBackFindsItsPlaceInTheOrder) {
    for (const Recipient& row : rows({"d", "e"})) lane.fresh.push_back(row);
    for (const Recipient& row : rows({"c", "a", "b"})) lane.put_back(row);
    std::string order;
    for (const Recipient& row : lane.take(10)) order += row.local();
    EXPECT_EQ(order, "abcde");
}

TEST_F(LaneTest, TheMarkNeverPassesARowInFlightOrWaiting) {
    lane.recorded_since_mark = 100;
    lane.fresh_leased(1, rows({"a", "b", "c"}));
    lane.fresh_leased(2, rows({"d", "e"}));
    EXPECT_EQ(lane.lease_recorded(2, 1), "") << "an older lease is still out";
    for (const Recipient& row : rows({"b"})) lane.put_back(row);
    EXPECT_EQ(lane.lease_recorded(1, 1), "") << "b came back and waits";
    lane.fresh_leased(3, lane.take(1));
    lane.fresh_leased(4, rows({"f"}));
    EXPECT_EQ(lane.lease_recorded(4, 1), "");
    EXPECT_EQ(lane.lease_recorded(3, 1), "f") << "all is recorded up to here";
}

TEST_F(LaneTest, ARowInAYoungerLeaseHoldsTheMarkBack) {
    lane.recorded_since_mark = 100;
    lane.fresh_leased(1, rows({"a", "c"}));
    lane.fresh_leased(2, rows({"b", "d"}));
    EXPECT_EQ(lane.lease_recorded(1, 1), "") << "b, before c, is in flight";
}

TEST_F(LaneTest, MarksAreRecordedNowAndThen) {
    lane.recorded_since_mark = 5;
    lane.fresh_leased(1, rows({"a"}));
    EXPECT_EQ(lane.lease_recorded(1, 10), "");
    lane.recorded_since_mark = 10;
    lane.fresh_leased(2, rows({"b"}));
    EXPECT_EQ(lane.lease_recorded(2, 10), "b");
    EXPECT_EQ(lane.recorded_since_mark, 0u);
}

}  // namespace
}  // namespace posthorn
