#include "campaigns/campaign_definition.h"

#include <gmock/gmock.h>

#include <map>

#include "campaigns/campaign_file.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kRoot = std::string(POSTHORN_SOURCE_DIR) + "/";

Campaign loaded(const std::string& file) {
    LoadedCampaign out = load_campaign(kRoot + file, LoadOptions{});
    EXPECT_TRUE(out.ok()) << to_text(out.errors, file);
    return out.campaign;
}

const std::vector<std::string> kCampaigns = {
    "tests/campaigns/files/good/minimal.json", "tests/campaigns/files/good/full.jsonc",
    "campaigns/examples/newsletter/newsletter.json", "campaigns/examples/receipt/receipt.json",
    "campaigns/examples/announcement/announcement.jsonc"};

TEST(CampaignDefinitionTest, ADefinitionReadsBackToItself) {
    for (const std::string& file : kCampaigns) {
        const Campaign campaign = loaded(file);
        const std::string definition = normalise(campaign);
        const Result<Campaign> back = load_normalised(definition);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(normalise(*back), definition);
        EXPECT_EQ(digests(*back), digests(campaign));
        EXPECT_EQ(back->headers, campaign.headers);
        EXPECT_EQ(back->retry.schedule, campaign.retry.schedule);
        EXPECT_EQ(back->throttle, campaign.throttle);
        EXPECT_EQ(back->text_source, campaign.text_source);
        EXPECT_EQ(back->vars, campaign.vars);
        EXPECT_EQ(back->segment, campaign.segment);
        EXPECT_EQ(back->schedule, campaign.schedule);
        EXPECT_EQ(back->recipients.priority, campaign.recipients.priority);
        ASSERT_EQ(back->variants.size(), campaign.variants.size());
        for (std::size_t i = 0; i < back->variants.size(); ++i) {
            EXPECT_EQ(back->variants[i].weight, campaign.variants[i].weight);
            EXPECT_EQ(back->variants[i].subject, campaign.variants[i].subject);
            EXPECT_EQ(back->variants[i].text_source, campaign.variants[i].text_source);
            EXPECT_EQ(back->variants[i].from, campaign.variants[i].from);
        }
    }
}

TEST(CampaignDefinitionTest, ContentsAreKeptByHashAndComeBack) {
    const Campaign campaign = loaded("tests/campaigns/files/good/full.jsonc");
    std::map<std::string, std::string> store;
    for (const NamedContent& content : contents(campaign))
        store.emplace(content.sha256, content.bytes);
    EXPECT_EQ(store.size(), 7u);
    const std::string definition = normalise(campaign);
    EXPECT_THAT(definition, Not(HasSubstr("Bye")));
    Campaign back = *load_normalised(definition);
    EXPECT_EQ(back.html.bytes, "");
    const auto fetch = [&](std::string_view hash) -> Result<std::string> {
        return store.at(std::string(hash));
    };
    ASSERT_TRUE(attach_contents(back, fetch));
    EXPECT_EQ(back.html, campaign.html);
    EXPECT_EQ(back.partials, campaign.partials);
    EXPECT_EQ(back.attachments, campaign.attachments);
    store.begin()->second += "x";
    EXPECT_FALSE(attach_contents(back, fetch));
}

TEST(CampaignDefinitionTest, DamagedDefinitionsAreRefused) {
    for (const char* damaged : {"", "[]", "{}", "{\"id\":3}", "nonsense"})
        EXPECT_EQ(load_normalised(damaged).error().kind, ErrorKind::kCorrupt) << damaged;
}

TEST(CampaignDefinitionTest, OnlyTheWindowsOfAScheduleMayChange) {
    const Campaign sent = loaded("tests/campaigns/files/good/full.jsonc");
    Campaign now = sent;
    now.schedule.windows.pop_back();
    CampaignChange change = compare(digests(sent), digests(now));
    EXPECT_THAT(change.refused, IsEmpty());
    EXPECT_THAT(change.recorded, ElementsAre("schedule.windows"));
    now.schedule.windows.clear();
    EXPECT_THAT(compare(digests(sent), digests(now)).recorded, ElementsAre("schedule.windows"));
    now = sent;
    now.schedule.max_lateness += std::chrono::hours(1);
    now.segment += " ";
    now.variants[0].weight = 2;
    now.recipients.priority.clear();
    change = compare(digests(sent), digests(now));
    EXPECT_THAT(change.refused, ElementsAre("recipients", "schedule", "segment", "variants"));
}

// Campaigns that were entered before there were these keys go on.
TEST(CampaignDefinitionTest, WhatACampaignDoesNotUseHasNoDigest) {
    for (const auto& [key, digest] : digests(loaded("tests/campaigns/files/good/minimal.json"))) {
        EXPECT_NE(key, "segment");
        EXPECT_NE(key, "variants");
        EXPECT_FALSE(key.starts_with("schedule"));
    }
}

TEST(CampaignDefinitionTest, ChangedKeysAreNamed) {
    const Campaign sent = loaded("tests/campaigns/files/good/full.jsonc");
    Campaign now = sent;
    EXPECT_THAT(compare(digests(sent), digests(now)).refused, IsEmpty());
    now.subject += "!";
    now.partials[0].content.sha256[0] ^= 1;
    now.throttle.stop_after = 7;
    now.retry.attempts_max = 99;
    now.attachments[1].content.sha256[0] ^= 1;
    now.attachments[0].content.file = "/elsewhere/list.csv";
    CampaignChange change = compare(digests(sent), digests(now));
    EXPECT_THAT(change.refused, ElementsAre("attachments", "subject", "template"));
    EXPECT_THAT(change.recorded, ElementsAre("retry", "throttle"));
    Digests with_rows = digests(sent);
    with_rows.emplace_back(kListDigest, "1:2");
    EXPECT_THAT(compare(with_rows, digests(sent)).refused, IsEmpty());
}

TEST(CampaignDefinitionTest, MovingTheFilesChangesNothing) {
    const Campaign sent = loaded("tests/campaigns/files/good/full.jsonc");
    Campaign moved = sent;
    moved.html.file = "/elsewhere/mail.html";
    moved.recipients.file = "/elsewhere/list.tsv";
    moved.exclude.lists[0].file = "/elsewhere/list.csv";
    EXPECT_EQ(digests(sent), digests(moved));
}

}  // namespace
}  // namespace posthorn
