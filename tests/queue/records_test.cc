#include "engine/queue/records.h"

#include <gtest/gtest.h>

#include "tests/queue/random_records.h"

namespace posthorn {
namespace {

constexpr int kRounds = 100;

// Encodes random records and holds that each comes back, that no prefix of its bytes decodes, nor
// its bytes and one more, and that changed bytes are an error or a record, never worse.
template <class Record, class Make, class Encode, class Decode>
void check_encoding(Make make, Encode encode_one, Decode decode) {
    Random random(7);
    for (int round = 0; round < kRounds; ++round) {
        const Record record = make(random);
        const std::string bytes = encode_one(record);
        const Result<Record> back = decode(bytes);
        ASSERT_TRUE(back) << back.error().message;
        ASSERT_EQ(*back, record);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
            // Exactly sized copies, so that reading past the end is seen.
            const Result<Record> part = decode(std::string(bytes, 0, cut));
            ASSERT_FALSE(part) << "cut at " << cut << " of " << bytes.size();
            ASSERT_EQ(part.error().kind, ErrorKind::kCorrupt);
        }
        ASSERT_FALSE(decode(bytes + "x"));
        for (int flips = 0; flips < 20; ++flips) {
            std::string damaged = bytes;
            damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
            (void)decode(damaged);
            (void)decode(random_text(random, 64));
        }
    }
}

template <class Record, class Make, class Decode>
void check_encoding(Make make, Decode decode) {
    check_encoding<Record>(
        make, [](const Record& record) { return encode(record); }, decode);
}

TEST(Records, AnOutcomeComesBackAsItWas) {
    check_encoding<OutcomeRecord>(random_outcome, decode_outcome);
}

TEST(Records, ALeaseComesBackAsItWas) { check_encoding<LeaseRecord>(random_lease, decode_lease); }

TEST(Records, ALaneComesBackAsItWas) { check_encoding<LaneRecord>(random_lane, decode_lane); }

TEST(Records, ACampaignComesBackAsItWas) {
    check_encoding<CampaignRecord>(random_campaign, decode_campaign);
}

TEST(Records, ASuppressionComesBackAsItWas) {
    check_encoding<SuppressionRecord>(random_suppression, decode_suppression);
}

TEST(Records, FiguresComeBackAsTheyWere) {
    check_encoding<Figures>([](Random& random) { return random_lane(random).figures; },
                            decode_figures);
}

TEST(Records, AnEventComesBackAsItWasUnderItsSequence) {
    const std::uint64_t sequence = 1'750'000'000'000'000;
    check_encoding<EventRecord>(
        random_event,
        [&](const EventRecord& event) {
            std::string bytes;
            append_event(bytes, event, sequence);
            return bytes;
        },
        [&](std::string_view bytes) { return decode_event(bytes, sequence); });
}

TEST(Records, AnOrdinaryDeliveredOutcomeIsSmall) {
    OutcomeRecord outcome;
    outcome.state = OutcomeState::kDelivered;
    outcome.attempts = 1;
    outcome.lease = 123'456;
    outcome.first_lease = wall_from_micros(1'800'000'000'000'000);
    AttemptRecord attempt;
    attempt.time = outcome.first_lease + std::chrono::milliseconds(700);
    attempt.stage = Stage::kDot;
    attempt.reply = {250, EnhancedCode{2, 0, 0}, "ok"};
    attempt.host = "mx1.provider.example";
    attempt.source = "a";
    outcome.latest.push_back(attempt);
    EXPECT_LE(encode(outcome).size() - attempt.reply.text.size(), 60U);
}

TEST(Records, TheHeadOfAnOutcomeIsItsStateAndCategory) {
    Random random(5);
    for (int round = 0; round < kRounds; ++round) {
        const OutcomeRecord outcome = random_outcome(random);
        const auto head = decode_outcome_head(encode(outcome));
        ASSERT_TRUE(head);
        EXPECT_EQ(head->state, outcome.state);
        EXPECT_EQ(head->category, outcome.category);
    }
}

TEST(Records, ARecordOfAnUnknownFormatIsRefused) {
    std::string bytes = encode(SuppressionRecord{});
    bytes.front() = 2;
    const auto record = decode_suppression(bytes);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().kind, ErrorKind::kCorrupt);
}

TEST(Model, NamesAreReadBackAsTheyAreWritten) {
    for (std::size_t i = 0; i < kOutcomeStateCount; ++i) {
        const auto state = static_cast<OutcomeState>(i);
        EXPECT_EQ(parse_outcome_state(name_of(state)), state);
    }
    for (std::size_t i = 0; i < kCampaignStateCount; ++i) {
        const auto state = static_cast<CampaignState>(i);
        EXPECT_EQ(parse_campaign_state(name_of(state)), state);
    }
    EXPECT_EQ(name_of(OutcomeState::kUncertain), "uncertain");
    EXPECT_EQ(parse_outcome_state("Delivered"), std::nullopt);
    EXPECT_EQ(parse_campaign_state(""), std::nullopt);
}

}  // namespace
}  // namespace posthorn
