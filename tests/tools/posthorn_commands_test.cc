// Commands against a store in memory, seeded with the records of a campaign.
#include "tools/posthorn/commands.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/base/bytes.h"
#include "engine/base/units.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/report.h"
#include "tools/posthorn/stored_figures.h"

namespace posthorn {
namespace {

constexpr WallTime kNoon = wall_from_micros(1'775'120'400'000'000);

class Lines : public LineSink {
  public:
    bool line(std::string_view json) override {
        all.push_back(nlohmann::json::parse(json));
        return all.size() < lines_max;
    }
    bool flush() override { return true; }

    std::vector<nlohmann::json> all;
    std::size_t lines_max = 1000;
};

class CommandsTest : public testing::Test {
  protected:
    CommandsTest() { enter_campaign(); }

    void enter_campaign() {
        CampaignRecord record;
        record.id = "spring";
        record.state = CampaignState::kRunning;
        record.audience = {5, 1, 0, 0, 0, 4};
        record.created = record.started = kNoon;
        campaign_ = *CampaignCatalog(*store_).create(record);
        for (const char* email : {"Ann@a.test", "bob@a.test", "cleo@a.test", "dan@b.test"})
            enter(email);
        lane("a.test", 3);
        lane("b.test", 1);
        bounce("bob@a.test");
        event("bob@a.test", OutcomeState::kPending, OutcomeState::kBounced,
              Category::kInvalidMailbox);
    }

    static LaneId lane_of(const std::string& email, CampaignNumber campaign) {
        return {campaign, email.substr(email.find('@') + 1)};
    }
    static std::string local_of(const std::string& email) {
        return local_key(email.substr(0, email.find('@')));
    }
    std::string key_of(const std::string& email) const {
        return audience_key(lane_of(email, campaign_.number), local_of(email));
    }

    void put(Family family, const std::string& key, const std::string& value) {
        WriteBatch batch;
        batch.put(family, key, value);
        ASSERT_TRUE(store_->write(batch).has_value());
    }

    void enter(const std::string& email) {
        std::string row;
        AudienceRowWriter writer(row, email, "");
        put(Family::kAudience, key_of(email), row);
    }

    void lane(const std::string& domain, std::uint64_t recipients) {
        LaneRecord record;
        record.recipients = recipients;
        put(Family::kLane, lane_key({campaign_.number, domain}), encode(record));
    }

    void bounce(const std::string& email) {
        OutcomeRecord outcome;
        outcome.state = OutcomeState::kBounced;
        outcome.category = Category::kInvalidMailbox;
        outcome.attempts = 1;
        outcome.first_lease = kNoon;
        AttemptRecord attempt;
        attempt.time = kNoon;
        attempt.stage = Stage::kRcpt;
        attempt.category = Category::kInvalidMailbox;
        attempt.action = Action::kSuppress;
        attempt.reply = {550, EnhancedCode{5, 1, 1}, "no such user"};
        attempt.host = "mx.a.test";
        attempt.source = "default";
        outcome.latest.push_back(attempt);
        put(Family::kOutcome, key_of(email), encode(outcome));
    }

    void event(const std::string& email, OutcomeState before, OutcomeState after,
               Category category) {
        const auto sequence = static_cast<std::uint64_t>(to_micros(kNoon)) + events_++;
        EventRecord record;
        record.time = kNoon;
        record.type = EventType::kAttempt;
        record.lane = lane_of(email, campaign_.number);
        record.local = local_of(email);
        record.before = before;
        record.after = after;
        record.category = category;
        record.attempt = 1;
        std::string bytes;
        append_event(bytes, record, sequence);
        put(Family::kEvent, sequence_key(sequence), bytes);
    }

    CommandResult run(const nlohmann::json& request) {
        lines_.all.clear();
        return run_command(context_, request, lines_);
    }

    CampaignRecord stored() { return **CampaignCatalog(*store_).find("spring"); }

    std::unique_ptr<Store> store_ = make_memory_store();
    CommandContext context_{*store_, "/nowhere", Config{}, [] { return Now{{}, kNoon}; }};
    CampaignRecord campaign_;
    std::uint64_t events_ = 1;
    Lines lines_;
};

TEST_F(CommandsTest, RecipientsAreListedWithWhatBecameOfThem) {
    EXPECT_EQ(run({{"command", "recipients"}, {"campaign", "spring"}}).exit, kDone);
    ASSERT_EQ(lines_.all.size(), 4u);
    std::map<std::string, nlohmann::json> by_email;
    for (const auto& line : lines_.all) by_email[line["email"]] = line;
    EXPECT_EQ(by_email["Ann@a.test"]["outcome"], "pending");
    EXPECT_EQ(by_email["Ann@a.test"]["category"], nullptr);
    const nlohmann::json& bob = by_email["bob@a.test"];
    EXPECT_EQ(bob["outcome"], "bounced");
    EXPECT_EQ(bob["category"], "invalid_mailbox");
    EXPECT_EQ(bob["code"], 550);
    EXPECT_EQ(bob["enhanced_code"], "5.1.1");
    EXPECT_EQ(bob["reply"], "no such user");
    EXPECT_EQ(bob["stage"], "rcpt");
    EXPECT_EQ(bob["attempts"], 1);
    EXPECT_EQ(bob["first_time"], rfc3339(kNoon));
    EXPECT_EQ(bob["mx_host"], "mx.a.test");
    EXPECT_EQ(bob["source"], "default");
}

TEST_F(CommandsTest, RecipientsCanBeLimitedToAnOutcomeAndADomain) {
    run({{"command", "recipients"}, {"campaign", "spring"}, {"outcome", "bounced"}});
    ASSERT_EQ(lines_.all.size(), 1u);
    EXPECT_EQ(lines_.all[0]["email"], "bob@a.test");
    run({{"command", "recipients"}, {"campaign", "spring"}, {"outcome", "pending"}});
    EXPECT_EQ(lines_.all.size(), 3u);
    run({{"command", "recipients"}, {"campaign", "spring"}, {"domain", "B.test"}});
    ASSERT_EQ(lines_.all.size(), 1u);
    EXPECT_EQ(lines_.all[0]["email"], "dan@b.test");
}

TEST_F(CommandsTest, AListingEndsWhenNobodyReads) {
    lines_.lines_max = 2;
    EXPECT_EQ(run({{"command", "recipients"}, {"campaign", "spring"}}).exit, kDone);
    EXPECT_EQ(lines_.all.size(), 2u);
}

TEST_F(CommandsTest, OutcomesAreListedWhenTheAudienceIsGone) {
    WriteBatch batch;
    const std::string prefix = campaign_prefix(campaign_.number);
    batch.erase_range(Family::kAudience, prefix, prefix_end(prefix));
    ASSERT_TRUE(store_->write(batch).has_value());
    run({{"command", "recipients"}, {"campaign", "spring"}});
    ASSERT_EQ(lines_.all.size(), 1u);
    EXPECT_EQ(lines_.all[0]["email"], "bob@a.test");
}

TEST_F(CommandsTest, AReportAddsUp) {
    EXPECT_EQ(run({{"command", "report"}, {"campaign", "spring"}}).exit, kDone);
    ReportPieces pieces;
    std::string text;
    for (const nlohmann::json& line : lines_.all) text += pieces.take(line.dump());
    ASSERT_TRUE(pieces.complete());
    const auto report = nlohmann::json::parse(text);
    EXPECT_EQ(report["campaign"], "spring");
    EXPECT_EQ(report["state"], "running");
    EXPECT_EQ(report["audience"]["rows"], 5);
    EXPECT_EQ(report["outcomes"]["bounced"], 1);
    EXPECT_EQ(report["outcomes"]["pending"], 3);
    std::uint64_t sum = 0;
    for (const auto& count : report["outcomes"]) sum += count.get<std::uint64_t>();
    EXPECT_EQ(sum, report["audience"]["recipients"].get<std::uint64_t>());
    EXPECT_EQ(report["categories"], nlohmann::json({{"invalid_mailbox", 1}}));
    EXPECT_EQ(report["attempts"], 1);
    ASSERT_EQ(report["domains"].size(), 2u);
    EXPECT_EQ(report["domains"][0]["domain"], "a.test");
    EXPECT_EQ(report["domains"][0]["bounced"], 1);
    EXPECT_TRUE(report["elapsed_s"].is_number());
    EXPECT_EQ(report["durability"], "none");
}

TEST_F(CommandsTest, EventsBeforeTheCheckpointAreCountedOnce) {
    LaneRecord lane;
    lane.recipients = 3;
    lane.figures.by_state[static_cast<std::size_t>(OutcomeState::kBounced)] = 1;
    lane.figures.by_category[static_cast<std::size_t>(Category::kInvalidMailbox)] = 1;
    lane.figures.attempts = 1;
    put(Family::kLane, lane_key({campaign_.number, "a.test"}), encode(lane));
    put(Family::kState, state_key("checkpoint", {}),
        sequence_key(static_cast<std::uint64_t>(to_micros(kNoon)) + 1));
    const auto figures = read_figures(*store_, campaign_.number, 10);
    ASSERT_TRUE(figures);
    EXPECT_EQ(figures->total, lane.figures);
}

TEST_F(CommandsTest, EventsCarryTheWordsOfTheirAttempt) {
    EXPECT_EQ(run({{"command", "events"}}).exit, kDone);
    ASSERT_EQ(lines_.all.size(), 1u);
    const nlohmann::json& event = lines_.all[0];
    EXPECT_EQ(event["type"], "attempt");
    EXPECT_EQ(event["campaign"], "spring");
    EXPECT_EQ(event["email"], "bob@a.test");
    EXPECT_EQ(event["before"], "pending");
    EXPECT_EQ(event["outcome"], "bounced");
    EXPECT_EQ(event["reply"], "no such user");
    EXPECT_EQ(event["mx_host"], "mx.a.test");
    run({{"command", "events"}, {"after", event["sequence"]}});
    EXPECT_TRUE(lines_.all.empty());
}

TEST_F(CommandsTest, TraceFindsAnAddressHoweverItIsWritten) {
    run({{"command", "suppress"},
         {"action", "add"},
         {"addresses", {"bob@a.test"}},
         {"reason", "asked"}});
    EXPECT_EQ(run({{"command", "trace"}, {"address", "BOB@A.test"}}).exit, kDone);
    const nlohmann::json& trace = lines_.all.at(0);
    EXPECT_EQ(trace["suppression"]["reason"], "asked");
    ASSERT_EQ(trace["campaigns"].size(), 1u);
    EXPECT_EQ(trace["campaigns"][0]["outcome"], "bounced");
    EXPECT_EQ(trace["campaigns"][0]["history"][0]["stage"], "rcpt");
}

TEST_F(CommandsTest, PauseResumeAndCancelArePersisted) {
    EXPECT_EQ(run({{"command", "pause"}, {"campaign", "spring"}}).exit, kDone);
    EXPECT_EQ(stored().state, CampaignState::kPaused);
    EXPECT_EQ(stored().pause_reason, "operator");
    EXPECT_EQ(run({{"command", "resume"}, {"campaign", "spring"}}).exit, kDone);
    EXPECT_EQ(stored().state, CampaignState::kRunning);
    EXPECT_EQ(stored().pause_reason, "");
    EXPECT_EQ(run({{"command", "cancel"}, {"campaign", "spring"}}).exit, kDone);
    EXPECT_EQ(stored().state, CampaignState::kCancelled);
    EXPECT_EQ(stored().finished, WallTime());  // who is left is recorded by the next delivery
}

TEST_F(CommandsTest, HoldAndReleaseArePersistedAndShown) {
    EXPECT_EQ(run({{"command", "hold"}, {"domain", "A.Test"}, {"reason", "broken"}}).exit, kDone);
    run({{"command", "status"}});
    EXPECT_EQ(lines_.all.at(0)["holds"],
              nlohmann::json::array({{{"domain", "a.test"}, {"reason", "broken"}}}));
    run({{"command", "explain"}, {"domain", "a.test"}});
    EXPECT_EQ(lines_.all.at(0)["verdict"], "held: broken");
    EXPECT_EQ(run({{"command", "release"}, {"domain", "a.test"}}).exit, kDone);
    run({{"command", "status"}});
    EXPECT_TRUE(lines_.all.at(0)["holds"].empty());
}

TEST_F(CommandsTest, SuppressionsOfOneSourceCanBeUndoneSinceATime) {
    Suppressions list(*store_);
    const auto add = [&](const char* email, const char* source, WallTime since) {
        ASSERT_TRUE(list.add({email, "invalid_mailbox", source, since, false}).has_value());
    };
    add("a@x.test", "campaign:spring", kNoon - std::chrono::hours(3));
    add("b@x.test", "campaign:spring", kNoon - std::chrono::hours(1));
    add("c@x.test", "operator", kNoon);
    EXPECT_EQ(run({{"command", "suppress"},
                   {"action", "remove"},
                   {"source", "campaign:spring"},
                   {"since", "2h"}})
                  .exit,
              kDone);
    EXPECT_EQ(lines_.all.at(0)["removed"], 1);
    run({{"command", "suppress"}, {"action", "list"}});
    EXPECT_EQ(lines_.all.size(), 2u);
}

TEST_F(CommandsTest, ForgettingErasesAnAddressAndKeepsItsOptOut) {
    run({{"command", "suppress"}, {"action", "add"}, {"addresses", {"bob@a.test"}}});
    EXPECT_EQ(run({{"command", "forget"}, {"address", "bob@a.test"}}).exit, kInvalidInput)
        << "the campaign is not finished";
    CampaignRecord record = stored();
    record.state = CampaignState::kFinished;
    record.finished = kNoon;
    ASSERT_TRUE(CampaignCatalog(*store_).update(record).has_value());
    EXPECT_EQ(run({{"command", "forget"}, {"address", "Bob@a.test"}}).exit, kDone);
    EXPECT_FALSE(store_->get(Family::kOutcome, key_of("bob@a.test"))->has_value());
    EXPECT_FALSE(store_->get(Family::kAudience, key_of("bob@a.test"))->has_value());
    run({{"command", "events"}});
    EXPECT_TRUE(lines_.all.empty());
    EXPECT_TRUE(*Suppressions(*store_).contains("bob@a.test"));
    run({{"command", "suppress"}, {"action", "list"}});
    EXPECT_EQ(lines_.all.at(0)["email"], "");
}

TEST_F(CommandsTest, PurgeTakesOnlyWhatIsOver) {
    EXPECT_EQ(run({{"command", "purge"}, {"campaign", "spring"}}).exit, kInvalidInput);
    CampaignRecord record = stored();
    record.state = CampaignState::kFinished;
    record.finished = kNoon;
    ASSERT_TRUE(CampaignCatalog(*store_).update(record).has_value());
    EXPECT_EQ(run({{"command", "purge"}, {"campaign", "spring"}}).exit, kDone);
    EXPECT_EQ(run({{"command", "report"}, {"campaign", "spring"}}).exit, kInvalidInput);
    EXPECT_FALSE(store_->get(Family::kOutcome, key_of("bob@a.test"))->has_value());
}

TEST_F(CommandsTest, WhatIsNotThereIsInvalidInput) {
    const nlohmann::json table[] = {
        {{"command", "report"}, {"campaign", "autumn"}},
        {{"command", "recipients"}},
        {{"command", "trace"}, {"address", "not an address"}},
        {{"command", "hold"}, {"domain", "a b"}},
        {{"command", "suppress"}, {"action", "add"}, {"addresses", {"nobody"}}},
        {{"command", "suppress"}, {"action", "dance"}},
        {{"command", "fly"}},
        {{"command", 5}},
        nlohmann::json::object(),
    };
    for (const nlohmann::json& request : table) {
        const CommandResult result = run(request);
        EXPECT_EQ(result.exit, kInvalidInput) << request;
        EXPECT_FALSE(result.error.empty()) << request;
    }
}

}  // namespace
}  // namespace posthorn
