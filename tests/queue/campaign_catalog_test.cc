#include "engine/queue/campaign_catalog.h"

#include <gtest/gtest.h>

#include "engine/queue/content.h"
#include "engine/queue/memory_store.h"

namespace posthorn {
namespace {

CampaignRecord named(const std::string& id) {
    CampaignRecord campaign;
    campaign.id = id;
    campaign.columns = {"name", "plan"};
    return campaign;
}

class CampaignCatalogTest : public testing::Test {
  protected:
    std::unique_ptr<Store> store_ = make_memory_store();
    CampaignCatalog catalog_{*store_};
};

TEST_F(CampaignCatalogTest, CampaignsAreNumberedInTurnAndFoundById) {
    EXPECT_EQ(catalog_.create(named("b"))->number, 1U);
    const auto second = catalog_.create(named("a"));
    EXPECT_EQ(second->number, 2U);
    EXPECT_EQ(*catalog_.find("a"), *second);
    EXPECT_EQ(*catalog_.get(2), *second);
    EXPECT_EQ(*catalog_.find("c"), std::nullopt);
    const auto list = catalog_.list();
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ((*list)[0].id, "b");
}

TEST_F(CampaignCatalogTest, AnIdIsGivenOnce) {
    ASSERT_TRUE(catalog_.create(named("a")));
    const auto again = catalog_.create(named("a"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST_F(CampaignCatalogTest, AnUpdateReplacesTheRecord) {
    CampaignRecord campaign = *catalog_.create(named("a"));
    campaign.state = CampaignState::kPaused;
    campaign.pause_reason = "operator";
    ASSERT_TRUE(catalog_.update(campaign));
    EXPECT_EQ(*catalog_.find("a"), campaign);
}

TEST_F(CampaignCatalogTest, ANumberIsNotGivenAgainAfterItsCampaignIsErased) {
    const auto first = catalog_.create(named("a"));
    WriteBatch batch;
    CampaignCatalog::append_erase(batch, *first);
    ASSERT_TRUE(store_->write(batch));
    EXPECT_EQ(*catalog_.find("a"), std::nullopt);
    EXPECT_TRUE(catalog_.list()->empty());
    EXPECT_EQ(catalog_.create(named("a"))->number, 2U);
}

TEST(Content, IsStoredOnceUnderItsHash) {
    const auto store = make_memory_store();
    const auto hash = put_content(*store, "abc");
    ASSERT_TRUE(hash);
    EXPECT_EQ(*hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(*put_content(*store, "abc"), *hash);
    EXPECT_EQ(store->approximate_count(Family::kContent), 1U);
    EXPECT_EQ(*get_content(*store, *hash), "abc");
    EXPECT_EQ(get_content(*store, "00").error().kind, ErrorKind::kNotFound);
    WriteBatch batch;
    batch.put(Family::kContent, *hash, "abd");
    ASSERT_TRUE(store->write(batch));
    EXPECT_EQ(get_content(*store, *hash).error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace posthorn
