#include "campaigns/variants.h"

#include <gtest/gtest.h>

#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"

namespace posthorn {
namespace {

Content content(const std::string& bytes) { return {"", bytes, "hash of " + bytes}; }

Campaign two_variants(double weight_a, double weight_b) {
    Campaign campaign;
    campaign.id = "spring";
    campaign.kind = CampaignKind::kTransactional;
    EXPECT_EQ(parse_address("news@acme.test", campaign.from), AddressFault::kNone);
    campaign.subject = "Hello";
    campaign.text_source = TextSource::kGiven;
    campaign.text = content("Text {{word}}\n");
    campaign.vars = {{"word", "plain", false}};
    Variant a, b;
    a.name = "A";
    a.weight = weight_a;
    b.name = "B";
    b.weight = weight_b;
    b.subject = "Last chance";
    b.vars = {{"word", "bold", false}, {"extra", "1", true}};
    campaign.variants = {a, b};
    return campaign;
}

std::string key_of(int recipient, CampaignNumber number = 1) {
    return audience_key({number, "d" + std::to_string(recipient % 7) + ".test"},
                        local_key("user" + std::to_string(recipient)));
}

std::string rendered(const Renderer& renderer, int recipient) {
    std::string row;
    AudienceRowWriter writer(row, "user" + std::to_string(recipient) + "@x.test", "");
    RenderedMessage message;
    const std::string key = key_of(recipient);
    const Status status = renderer.render({key, row, {}, {}}, message);
    EXPECT_TRUE(status) << status.error().message;
    return message.bytes;
}

TEST(Variants, SharesFollowTheWeights) {
    for (const auto& [a, b] : {std::pair<double, double>{1, 1}, {9, 1}, {0, 1}, {0.25, 0.75}}) {
        const VariantChoice choice(two_variants(a, b));
        int second = 0;
        for (int i = 0; i < 10'000; ++i) second += choice.of(key_of(i)) == 1 ? 1 : 0;
        EXPECT_NEAR(second, 10'000.0 * b / (a + b), 200) << a << ":" << b;
    }
}

TEST(Variants, TheChoiceIsTheRecipientsForGoodAndNotTheSameInEveryCampaign) {
    Campaign campaign = two_variants(1, 1);
    const VariantChoice choice(campaign);
    campaign.id = "autumn";
    const VariantChoice other(campaign);
    int differ = 0;
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(choice.of(key_of(i, 1)), choice.of(key_of(i, 77)));
        differ += choice.of(key_of(i)) != other.of(key_of(i)) ? 1 : 0;
    }
    EXPECT_GT(differ, 50);
}

TEST(Variants, EachGetsItsOwnWordsAndTheCampaignsWhereItHasNone) {
    const Campaign campaign = two_variants(1, 1);
    const CompiledContent compiled = compile_campaign(campaign, {}, nullptr);
    ASSERT_NE(compiled.renderer, nullptr) << to_text(compiled.problems, "campaign");
    const VariantChoice choice(campaign);
    bool seen[2] = {false, false};
    for (int i = 0; i < 20; ++i) {
        const std::string message = rendered(*compiled.renderer, i);
        const std::size_t variant = choice.of(key_of(i));
        seen[variant] = true;
        EXPECT_EQ(message.find("Subject: Last chance\r\n") != std::string::npos, variant == 1);
        EXPECT_EQ(message.find("Text bold") != std::string::npos, variant == 1);
        EXPECT_EQ(message.find("Text plain") != std::string::npos, variant == 0);
    }
    EXPECT_TRUE(seen[0] && seen[1]);
}

TEST(Variants, FaultsPointToTheVariantThatHasThem) {
    Campaign campaign = two_variants(1, 1);
    campaign.variants[1].subject = "Hi {{unknown_name}}";
    campaign.variants[1].html = content("<p>{{#open}}</p>");
    const CompiledContent compiled = compile_campaign(campaign, {}, nullptr);
    EXPECT_EQ(compiled.renderer, nullptr);
    std::vector<std::string> paths;
    for (const CampaignError& problem : compiled.problems) paths.push_back(problem.path);
    EXPECT_NE(std::find(paths.begin(), paths.end(), "/variants/1/subject"), paths.end());
    EXPECT_NE(std::find(paths.begin(), paths.end(), "/variants/1/html"), paths.end());
    // A fault that all variants share is told once.
    campaign = two_variants(1, 1);
    campaign.subject = "Hi {{unknown_name}}";
    campaign.variants[1].subject.reset();
    const CompiledContent shared = compile_campaign(campaign, {}, nullptr);
    EXPECT_EQ(std::count_if(shared.problems.begin(), shared.problems.end(),
                            [](const auto& problem) { return problem.path == "/subject"; }),
              1);
}

}  // namespace
}  // namespace posthorn
