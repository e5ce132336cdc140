#include "engine/queue/keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/random.h"
#include "engine/queue/store.h"
#include "tests/queue/random_records.h"

namespace posthorn {
namespace {

const LaneId kLane{7, "example.org"};

TEST(Keys, ALocalKeyIsTheHashOfTheFoldedLocalPartAndTheFoldedLocalPart) {
    std::string expected;
    put_u32(expected, hash32("john.doe"));
    EXPECT_EQ(local_key("John.Doe"), expected + "john.doe");
    EXPECT_EQ(local_key("john.doe"), local_key("JOHN.DOE"));
    EXPECT_EQ(folded_local(local_key("Ann")), "ann");
}

TEST(Keys, FoldingLeavesOtherThanAsciiAlone) { EXPECT_EQ(fold_local("\xc3\x84Z"), "\xc3\x84z"); }

TEST(Keys, ALocalKeyWhoseHashIsWrongIsNone) {
    std::string key = local_key("ann");
    key.front() = static_cast<char>(key.front() ^ 1);
    EXPECT_EQ(folded_local(key), std::nullopt);
    EXPECT_EQ(folded_local("abc"), std::nullopt);
}

TEST(Keys, AnAudienceKeyHasTheLanesPartsAndTheLocalKey) {
    const std::string key = audience_key(kLane, local_key("Ann"));
    const auto parsed = parse_audience_key(key);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->campaign, 7U);
    EXPECT_EQ(parsed->domain, "example.org");
    EXPECT_EQ(parsed->local, local_key("ann"));
    EXPECT_TRUE(key.starts_with(campaign_prefix(7)));
}

TEST(Keys, ALaneKeyComesBack) {
    EXPECT_EQ(parse_lane_key(lane_key(kLane)), kLane);
    EXPECT_EQ(parse_lane_key(campaign_prefix(7)), std::nullopt);
}

TEST(Keys, LargerLanesComeFirstInTheLaneOrder) {
    EXPECT_EQ(lane_band(1), 255);
    EXPECT_EQ(lane_band(2), 254);
    EXPECT_EQ(lane_band(3), 254);
    EXPECT_EQ(lane_band(1'000'000), 255 - 19);
    EXPECT_EQ(lane_band(~std::uint64_t{0}), kFirstLaneBand);
    EXPECT_LT(lane_order_key(7, lane_band(64), "z.example"),
              lane_order_key(7, lane_band(63), "a.example"));
    const std::string key = lane_order_key(7, 250, "example.org");
    const auto parsed = parse_lane_order_key(key);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->campaign, 7U);
    EXPECT_EQ(parsed->band, 250);
    EXPECT_EQ(parsed->domain, "example.org");
}

TEST(Keys, TheMarkOfAnImportComesBeforeItsLanesAndIsNone) {
    EXPECT_LT(import_mark_key(7), lane_order_key(7, kFirstLaneBand, "a"));
    EXPECT_EQ(parse_lane_order_key(import_mark_key(7)), std::nullopt);
}

TEST(Keys, RetriesSortByDueTimeWithinTheirLane) {
    const auto at = [](std::int64_t micros) { return wall_from_micros(micros); };
    EXPECT_LT(retry_key(kLane, at(255), local_key("z")), retry_key(kLane, at(256), local_key("a")));
    const std::string key = retry_key(kLane, at(1'700'000'000'000'001), local_key("ann"));
    const auto parsed = parse_retry_key(key);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->campaign, 7U);
    EXPECT_EQ(parsed->domain, "example.org");
    EXPECT_EQ(parsed->due, at(1'700'000'000'000'001));
    EXPECT_EQ(parsed->local, local_key("ann"));
    EXPECT_TRUE(key.starts_with(retry_prefix(kLane, parsed->due)));
}

TEST(Keys, ALaneIsNoPrefixOfALaneWithALongerName) {
    const std::string end = prefix_end([&] {
        std::string prefix;
        append_lane_prefix(prefix, 7, "example.org");
        return prefix;
    }());
    EXPECT_GE(audience_key({7, "example.org.uk"}, local_key("a")), end);
    EXPECT_GE(audience_key({7, "example.org-x"}, local_key("a")), end);
}

TEST(Keys, SequencesSortAsNumbers) {
    EXPECT_LT(sequence_key(255), sequence_key(256));
    EXPECT_EQ(parse_sequence_key(sequence_key(~std::uint64_t{0})), ~std::uint64_t{0});
    EXPECT_EQ(parse_sequence_key("1234567"), std::nullopt);
    EXPECT_EQ(parse_sequence_key("123456789"), std::nullopt);
}

TEST(Keys, ASuppressionIsFoundHoweverItsAddressIsWritten) {
    EXPECT_EQ(suppression_key("", "Ann@Example.org"), suppression_key("", "ann@example.org"));
    EXPECT_NE(suppression_key("", "ann@example.org"), suppression_key("x", "ann@example.org"));
    std::string key;
    append_suppression_key(key, "", "ann", "example.org");
    EXPECT_EQ(key, suppression_key("", "Ann@example.org"));
}

TEST(Keys, ANumberAndAnIdOfACampaignDoNotMeet) {
    EXPECT_NE(campaign_number_key(0x61626364), campaign_id_key("abcd"));
    EXPECT_TRUE(campaign_number_key(1).starts_with(kCampaignNumberPrefix));
    EXPECT_FALSE(campaign_id_key("n").starts_with(kCampaignNumberPrefix));
}

TEST(Keys, CutAndDamagedKeysAreNone) {
    Random random(11);
    const std::string audience = audience_key(kLane, local_key("ann"));
    const std::string retry = retry_key(kLane, wall_from_micros(5), local_key("ann"));
    for (std::size_t cut = 0; cut < 4 + kLane.domain.size() + 1 + 4; ++cut) {
        EXPECT_FALSE(parse_audience_key(std::string(audience, 0, cut)));
        EXPECT_FALSE(parse_retry_key(std::string(retry, 0, cut)));
    }
    for (int round = 0; round < 10'000; ++round) {
        const std::string bytes = random_text(random, 24);
        (void)parse_audience_key(bytes);
        (void)parse_lane_key(bytes);
        (void)parse_lane_order_key(bytes);
        (void)parse_retry_key(bytes);
        (void)parse_sequence_key(bytes);
        (void)folded_local(bytes);
    }
    std::string late = retry;
    late[4 + kLane.domain.size() + 1] = '\xff';  // beyond what a time can be
    EXPECT_FALSE(parse_retry_key(late));
}

TEST(Keys, ThePrefixEndIsTheFirstKeyWithoutThePrefix) {
    EXPECT_EQ(prefix_end("ab"), "ac");
    EXPECT_EQ(prefix_end("a\xff\xff"), "b");
    EXPECT_EQ(prefix_end("\xff"), "");
}

}  // namespace
}  // namespace posthorn
