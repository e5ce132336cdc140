#include "engine/queue/suppressions.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/queue/memory_store.h"

namespace posthorn {
namespace {

WallTime day(int number) { return wall_from_micros(0) + std::chrono::hours(24 * number); }

class SuppressionsTest : public testing::Test {
  protected:
    void add(const std::string& address, const std::string& source = "operator", int since = 1) {
        ASSERT_TRUE(suppressions_.add({address, "manual", source, day(since), false}));
    }
    bool contains(const std::string& address, std::string_view scope = {}) {
        const auto found = suppressions_.contains(address, scope);
        EXPECT_TRUE(found);
        return *found;
    }
    std::set<std::string> all(std::string_view scope = {}) {
        std::set<std::string> addresses;
        EXPECT_TRUE(suppressions_.for_each(
            [&](const SuppressionRecord& record) {
                addresses.insert(record.address);
                return true;
            },
            scope));
        return addresses;
    }

    std::unique_ptr<Store> store_ = make_memory_store();
    Suppressions suppressions_{*store_};
};

TEST_F(SuppressionsTest, AnAddressIsSuppressedHoweverItIsWritten) {
    add("Ann@Example.org");
    EXPECT_TRUE(contains("ann@example.org"));
    EXPECT_TRUE(contains("ANN@EXAMPLE.ORG"));
    EXPECT_FALSE(contains("ann@example.com"));
    const auto found = suppressions_.find("ann@example.org");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->address, "Ann@Example.org");
    EXPECT_EQ((*found)->since, day(1));
}

TEST_F(SuppressionsTest, ScopesDoNotMeet) {
    ASSERT_TRUE(suppressions_.add({"a@x.test", "manual", "operator", day(1), false}, "news"));
    add("b@x.test");
    EXPECT_TRUE(contains("a@x.test", "news"));
    EXPECT_FALSE(contains("a@x.test"));
    EXPECT_EQ(all("news"), std::set<std::string>{"a@x.test"});
    EXPECT_EQ(all(), std::set<std::string>{"b@x.test"});
}

TEST_F(SuppressionsTest, WhatIsRemovedIsGone) {
    add("a@x.test");
    EXPECT_EQ(*suppressions_.remove("A@x.test"), true);
    EXPECT_EQ(*suppressions_.remove("a@x.test"), false);
    EXPECT_FALSE(contains("a@x.test"));
}

TEST_F(SuppressionsTest, AQuarantinedRecordIsKeptAndNotInForce) {
    add("a@x.test", "campaign:one");
    add("b@x.test");
    EXPECT_EQ(*suppressions_.set_quarantined({"campaign:one", {}}, true), 1U);
    EXPECT_FALSE(contains("a@x.test"));
    EXPECT_TRUE(contains("b@x.test"));
    EXPECT_TRUE(suppressions_.find("a@x.test")->has_value());
    EXPECT_EQ(*suppressions_.set_quarantined({"campaign:one", {}}, false), 1U);
    EXPECT_TRUE(contains("a@x.test"));
}

TEST_F(SuppressionsTest, OneSourceIsUndoneSinceATime) {
    for (int i = 0; i < 2500; ++i) add("n" + std::to_string(i) + "@x.test", "campaign:one", 5);
    add("early@x.test", "campaign:one", 4);
    add("other@x.test", "campaign:two", 5);
    EXPECT_EQ(*suppressions_.remove(Suppressions::Selection{"campaign:one", day(5)}), 2500U);
    EXPECT_EQ(all(), (std::set<std::string>{"early@x.test", "other@x.test"}));
    EXPECT_EQ(*suppressions_.remove(Suppressions::Selection{"campaign:one", {}}), 1U);
}

TEST_F(SuppressionsTest, AVisitorCanStop) {
    add("a@x.test");
    add("b@x.test");
    int seen = 0;
    EXPECT_TRUE(suppressions_.for_each([&](const SuppressionRecord&) { return ++seen < 1; }));
    EXPECT_EQ(seen, 1);
}

TEST_F(SuppressionsTest, ChangesCanBePartOfABatch) {
    WriteBatch batch;
    Suppressions::append_add(batch, {"a@x.test", "manual", "operator", day(1), false});
    EXPECT_FALSE(contains("a@x.test"));
    ASSERT_TRUE(store_->write(batch));
    EXPECT_TRUE(contains("a@x.test"));
    batch.clear();
    Suppressions::append_remove(batch, "A@X.test");
    ASSERT_TRUE(store_->write(batch));
    EXPECT_FALSE(contains("a@x.test"));
}

}  // namespace
}  // namespace posthorn
