// What the sink writes down: ledger lines, the summary, and the parts they are made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/sink/delay_line.h"
#include "tools/sink/hash_set.h"
#include "tools/sink/ledger.h"
#include "tools/sink/message_id.h"
#include "tools/sink/tally.h"

namespace posthorn::sink {
namespace {

using std::chrono::milliseconds;

TEST(LedgerLines, HaveTheKeysOfTheContractInOrder) {
    LedgerLines lines;
    lines.add(
        {wall_from_micros(1'775'113'200'000'042), "b@y.test", "a@x.test", "<1@x>", 10240, 7, true});
    EXPECT_EQ(lines.text(),
              R"({"time":"2026-04-02T07:00:00.000042Z","recipient":"b@y.test",)"
              R"("sender":"a@x.test","message_id":"<1@x>","bytes":10240,"session":7,"tls":true})"
              "\n");
}

TEST(LedgerLines, AreJsonWhateverIsInAnAddress) {
    LedgerLines lines;
    const std::string odd = "\"q\\uote\"@\x01\xff\xc3\xa9.test";
    lines.add({wall_from_micros(0), odd, "", "", 0, 0, false});
    const auto json = nlohmann::json::parse(lines.text());
    EXPECT_EQ(json["recipient"], "\"q\\uote\"@\x01\xef\xbf\xbd\xc3\xa9.test");
    EXPECT_EQ(json["tls"], false);
}

TEST(LedgerLines, TimesOfOneSecondDifferInTheirFraction) {
    LedgerLines lines;
    for (const std::int64_t micros : {999'999, 1'000'000, 1'000'001})
        lines.add({wall_from_micros(micros), "", "", "", 0, 0, false});
    EXPECT_THAT(lines.text(), testing::HasSubstr("00:00:00.999999Z"));
    EXPECT_THAT(lines.text(), testing::HasSubstr("00:00:01.000000Z"));
    EXPECT_THAT(lines.text(), testing::HasSubstr("00:00:01.000001Z"));
}

TEST(Tally, CountsDuplicatesByMessageIdAndRecipient) {
    Profile profile;
    profile.entries.emplace_back();
    Names names(profile, 1);
    Tally tally;
    tally.message(100);
    tally.accepted("a@x.test", "<1>");
    tally.accepted("a@x.test", "<1>");  // the same once more
    tally.accepted("a@x.test", "<2>");  // another campaign
    tally.accepted("b@x.test", "<1>");
    tally.session();
    tally.flight();
    tally.flight();
    tally.replied(Place::kDot, 250);
    tally.replied(Place::kRcpt, 550);
    tally.replied(Place::kRcpt, 550);
    names.domain("x.test").traffic.recipient_asked(Instant(milliseconds(1)));
    const auto json = nlohmann::json::parse(tally.to_json(names));
    EXPECT_EQ(json["accepted"], 4);
    EXPECT_EQ(json["distinct_recipients"], 2);
    EXPECT_EQ(json["duplicates"], 1);
    EXPECT_EQ(json["messages"], 1);
    EXPECT_EQ(json["bytes"], 100);
    EXPECT_EQ(json["sessions"], 1);
    EXPECT_EQ(json["round_trips_per_message"], 2.0);
    EXPECT_EQ(json["replies"]["rcpt"]["550"], 2);
    EXPECT_EQ(json["replies"]["dot"]["250"], 1);
    EXPECT_EQ(json["domains"]["x.test"]["rate_1s_max"], 1);
    EXPECT_TRUE(json["mx_hosts"].empty());
}

TEST(HashSet, KnowsWhatItHasSeenThroughEveryGrowth) {
    HashSet set;
    for (std::uint64_t i = 0; i < 100'000; ++i)
        EXPECT_TRUE(set.insert(i * 0x9e3779b97f4a7c15u + 5));
    for (std::uint64_t i = 0; i < 100'000; ++i)
        EXPECT_FALSE(set.insert(i * 0x9e3779b97f4a7c15u + 5));
    EXPECT_EQ(set.size(), 100'000u);
}

std::string message_id_of(std::string_view message, std::size_t step) {
    MessageIdScan scan;
    for (std::size_t at = 0; at < message.size(); at += step) scan.feed(message.substr(at, step));
    return scan.message_id();
}

TEST(MessageIdScan, FindsTheFieldHoweverTheMessageIsCut) {
    constexpr std::string_view kMessage =
        "From: a\r\nMime-Version: 1.0\r\nmessage-id:\t<1@x.test> \r\nTo: b\r\n\r\n"
        "Message-ID: <of-the-body>\r\n";
    constexpr std::string_view kFolded = "Message-ID:\r\n <2@x.test>\r\n\r\nbody";
    for (std::size_t step = 1; step <= kMessage.size(); ++step) {
        EXPECT_EQ(message_id_of(kMessage, step), "<1@x.test>") << step;
        EXPECT_EQ(message_id_of(kFolded, step), "<2@x.test>") << step;
    }
}

TEST(MessageIdScan, LooksAtTheHeaderSectionAloneAndOnlySoFar) {
    EXPECT_EQ(message_id_of("From: a\r\n\r\nMessage-ID: <1>\r\n", 1000), "");
    std::string large;
    while (large.size() < kHeaderBytesMax) large += "X-Field: " + std::string(900, 'x') + "\r\n";
    large += "X-Last: 1\r\n";
    EXPECT_EQ(message_id_of(large + "Message-ID: <1>\r\n", 4096), "");
    EXPECT_EQ(message_id_of(std::string(5000, 'x') + "\r\nMessage-ID: <1>\r\n\r\n", 7), "<1>");
}

TEST(MessageIdScan, BeginsAgainWithTheNextMessage) {
    MessageIdScan scan;
    scan.feed("Message-ID: <1>\r\n\r\n");
    scan.restart();
    scan.feed("From: a\r\n\r\n");
    EXPECT_EQ(scan.message_id(), "");
}

TEST(DelayLine, LetsBytesGoAtTheirTimeAndInOrder) {
    const Instant start{};
    DelayLine line;
    line.push("ab", start + milliseconds(10));
    line.push("cd", start + milliseconds(20));
    line.push("ef", start + milliseconds(15));  // may not overtake
    EXPECT_EQ(line.due(start + milliseconds(9)), "");
    EXPECT_EQ(line.due(start + milliseconds(15)), "ab");
    line.consume(1);
    EXPECT_EQ(line.next_due(), start + milliseconds(10));
    EXPECT_EQ(line.due(start + milliseconds(20)), "bcdef");
    line.consume(5);
    EXPECT_TRUE(line.empty());
    EXPECT_FALSE(line.next_due().has_value());
}

TEST(DelayLine, DripsOctetByOctet) {
    const Instant start{};
    DelayLine line;
    line.drip("abc", start, milliseconds(100));
    EXPECT_EQ(line.due(start), "a");
    EXPECT_EQ(line.due(start + milliseconds(100)), "ab");
    line.push("d", start);
    EXPECT_EQ(line.due(start + milliseconds(199)), "ab");
    EXPECT_EQ(line.due(start + milliseconds(200)), "abcd");
}

}  // namespace
}  // namespace posthorn::sink
