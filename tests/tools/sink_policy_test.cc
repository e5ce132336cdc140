#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/sink/policy.h"

namespace posthorn::sink {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A policy of a profile, and talks of it at a time of the test's choosing.
class SinkPolicy : public testing::Test {
  protected:
    void use(std::string_view json) {
        auto read = parse_profile(json, "test");
        ASSERT_TRUE(read.has_value()) << read.error().message;
        profile_ = *std::move(read);
        names_ = std::make_unique<Names>(profile_, 1);
        policy_ = std::make_unique<Policy>(*names_, 1, now_);
    }
    void use_entry(const std::string& keys) { use(R"({"domains":[{"match":"*",)" + keys + "}]}"); }

    // The code of the reply, 250 for the usual positive one.
    int ask(Talk& talk, Place place, std::string_view argument = "") {
        last_ = policy_->asked(talk, place, argument, now_);
        return last_.reply ? last_.reply->code : 250;
    }
    int connect(Talk& talk, std::string_view host = "mx.a.test") {
        policy_->opened(talk, names_->host(host));
        return ask(talk, Place::kConnect);
    }
    int rcpt(Talk& talk, std::string_view recipient) {
        ask(talk, Place::kMail, "from@x.test");
        return ask(talk, Place::kRcpt, recipient);
    }

    Instant now_ = Instant(seconds(1000));
    Profile profile_;
    std::unique_ptr<Names> names_;
    std::unique_ptr<Policy> policy_;
    Decision last_;
};

TEST_F(SinkPolicy, APerfectWorldAcceptsAllAtOnce) {
    use_entry(R"("ttl_s":1)");
    Talk talk;
    EXPECT_EQ(connect(talk), 250);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 250);
    EXPECT_EQ(ask(talk, Place::kDot), 250);
    EXPECT_EQ(last_.delay, Duration(0));
    EXPECT_FALSE(last_.fault);
}

TEST_F(SinkPolicy, ConnectionsAreLimitedByProviderOverAllItsHostsAndDomains) {
    use(R"({"domains":[{"match":"*","provider":"p","limits":{"connections":2,
            "over":"421 4.7.0 enough"}}]})");
    Talk talks[5];
    EXPECT_EQ(connect(talks[0], "mx.a.test"), 250);
    EXPECT_EQ(connect(talks[1], "mx.b.test"), 250);
    EXPECT_EQ(connect(talks[2], "mx.c.test"), 421);
    EXPECT_TRUE(last_.close);
    policy_->closed(talks[2]);  // was never counted
    policy_->closed(talks[0]);
    EXPECT_EQ(connect(talks[3], "mx.c.test"), 250);
    EXPECT_EQ(connect(talks[4], "mx.d.test"), 421);
}

TEST_F(SinkPolicy, ConnectionsAreLimitedByDomainWhereThereIsNoProvider) {
    use_entry(R"("limits":{"connections":1})");
    Talk talks[3];
    EXPECT_EQ(connect(talks[0], "mx.a.test"), 250);
    EXPECT_EQ(connect(talks[1], "mx.a.test"), 421);
    EXPECT_EQ(connect(talks[2], "mx.b.test"), 250);
}

TEST_F(SinkPolicy, MessagesPerConnectionAreCountedByAcceptance) {
    use_entry(R"("limits":{"messages_per_connection":2})");
    Talk talk;
    connect(talk);
    EXPECT_EQ(ask(talk, Place::kMail, "a@x"), 250);
    policy_->message_accepted(talk);
    EXPECT_EQ(ask(talk, Place::kMail, "a@x"), 250);
    policy_->message_accepted(talk);
    EXPECT_EQ(ask(talk, Place::kMail, "a@x"), 421);
    EXPECT_TRUE(last_.close);
}

TEST_F(SinkPolicy, ARateHasABurstAndRefills) {
    use_entry(R"("limits":{"rate":"10/s","burst":3,"over":"450 4.7.0 slow down"})");
    Talk talk;
    connect(talk);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rcpt(talk, "b@a.test"), 250);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 450);
    EXPECT_EQ(rcpt(talk, "b@other.test"), 250);  // counted apart
    now_ += milliseconds(100);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 250);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 450);
}

TEST_F(SinkPolicy, WhoGoesOverIsPunishedEvenAtTheGreeting) {
    use_entry(R"("limits":{"rate":"10/s","burst":1,"over":"421 4.7.28 unusual","penalty_s":30})");
    Talk talk;
    connect(talk);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 250);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 421);
    now_ += milliseconds(29999);
    Talk refused;
    EXPECT_EQ(connect(refused), 421);
    now_ += milliseconds(1);
    Talk welcome;
    EXPECT_EQ(connect(welcome), 250);
    EXPECT_EQ(rcpt(welcome, "b@a.test"), 250);
}

TEST_F(SinkPolicy, GreylistingLetsAPairInAfterItsTime) {
    use_entry(R"("greylist_s":60)");
    Talk talk;
    connect(talk);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 451);
    now_ += milliseconds(59999);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 451);
    EXPECT_EQ(rcpt(talk, "c@a.test"), 451);
    now_ += milliseconds(1);
    EXPECT_EQ(rcpt(talk, "b@a.test"), 250);
    EXPECT_EQ(rcpt(talk, "c@a.test"), 451);  // its time began later
}

TEST_F(SinkPolicy, UnknownUsersStayUnknownAndTransientRepliesAreDrawnAnew) {
    use_entry(R"("replies":[{"stage":"rcpt","share":0.3,"reply":"550 5.1.1 unknown"},
                            {"stage":"rcpt","share":0.5,"reply":"450 4.2.1 later"}])");
    Talk talk;
    connect(talk);
    int unknown = 0;
    int changed = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string recipient = "user" + std::to_string(i) + "@a.test";
        const int first = rcpt(talk, recipient);
        const int second = rcpt(talk, recipient);
        unknown += first == 550;
        EXPECT_EQ(first == 550, second == 550) << recipient;
        changed += first != second;
    }
    EXPECT_NEAR(unknown, 300, 60);
    EXPECT_GT(changed, 200);
}

TEST_F(SinkPolicy, TheSameSeedMakesTheSameDecisions) {
    const std::string entry = R"("latency_ms":[1,100],
        "replies":[{"stage":"dot","share":0.5,"reply":"450 later"}])";
    std::vector<std::pair<int, Duration>> runs[2];
    for (auto& run : runs) {
        use_entry(entry);
        Talk talk;
        connect(talk);
        for (int i = 0; i < 50; ++i) {
            const int code = ask(talk, Place::kDot);
            run.emplace_back(code, last_.delay);
        }
    }
    EXPECT_EQ(runs[0], runs[1]);
}

TEST_F(SinkPolicy, ChangesTakeEffectAtTheirTime) {
    use_entry(R"("changes":[{"after_s":120,"limits":{"connections":1}},
                            {"after_s":240,"replies":[{"stage":"rcpt","reply":"550 5.1.1 all"}]}])");
    Talk talks[3];
    EXPECT_EQ(connect(talks[0]), 250);
    EXPECT_EQ(connect(talks[1]), 250);
    now_ += seconds(120);
    EXPECT_EQ(connect(talks[2]), 421);
    EXPECT_EQ(rcpt(talks[0], "b@a.test"), 250);
    now_ += seconds(120);
    EXPECT_EQ(rcpt(talks[0], "b@a.test"), 550);
}

TEST_F(SinkPolicy, TheHostDecidesBeforeARecipientIsNamedAndTheDomainAfterwards) {
    use(R"({"domains":[
        {"match":"strict.test","replies":[
            {"stage":"rcpt","reply":"550 no"},{"stage":"mail","reply":"450 no"}]},
        {"match":"*"}]})");
    Talk talk;
    connect(talk, "mx.lenient.test");
    EXPECT_EQ(ask(talk, Place::kMail, "a@x"), 250);
    EXPECT_EQ(ask(talk, Place::kRcpt, "b@strict.test"), 550);
    EXPECT_EQ(ask(talk, Place::kRcpt, "b@lenient.test"), 250);
    Talk strict;
    connect(strict, "mx.strict.test");
    EXPECT_EQ(ask(strict, Place::kMail, "a@x"), 450);
}

TEST_F(SinkPolicy, LatencyIsUniformWithinItsRangeAndATarpitAddsToIt) {
    use_entry(R"("latency_ms":[50,800],"faults":[{"kind":"tarpit","stage":"dot","delay_s":20}])");
    Talk talk;
    connect(talk);
    Duration least = seconds(1);
    Duration most{0};
    for (int i = 0; i < 1000; ++i) {
        ask(talk, Place::kMail, "a@x");
        least = std::min(least, last_.delay);
        most = std::max(most, last_.delay);
    }
    EXPECT_GE(least, milliseconds(50));
    EXPECT_LT(least, milliseconds(70));
    EXPECT_LE(most, milliseconds(800));
    EXPECT_GT(most, milliseconds(780));
    ask(talk, Place::kDot);
    EXPECT_GE(last_.delay, seconds(20));
}

TEST_F(SinkPolicy, AFaultIsDrawnAtItsStageAlone) {
    use_entry(R"("faults":[{"kind":"reset","stage":"body"},{"kind":"after_dot"}])");
    Talk talk;
    connect(talk);
    EXPECT_FALSE(last_.fault);
    ASSERT_TRUE(policy_->body_begun(talk));
    EXPECT_EQ(policy_->body_begun(talk)->kind, FaultKind::kReset);
    ask(talk, Place::kDot);
    ASSERT_TRUE(last_.fault);
    EXPECT_EQ(last_.fault->kind, FaultKind::kAfterDot);
    EXPECT_TRUE(last_.positive());
}

TEST_F(SinkPolicy, TrafficIsSeenByDomainAndByHost) {
    use_entry(R"("ttl_s":1)");
    Talk talks[2];
    for (Talk& talk : talks) connect(talk, "mx.a.test");
    for (int i = 0; i < 3; ++i) rcpt(talks[0], "b@a.test");
    rcpt(talks[1], "b@c.test");
    now_ += seconds(2);
    rcpt(talks[1], "b@a.test");
    policy_->closed(talks[0]);
    const Traffic& domain = names_->domain("a.test").traffic;
    EXPECT_EQ(domain.asked, 4u);
    EXPECT_EQ(domain.connections_peak, 2u);
    EXPECT_EQ(domain.connections, 1u);
    EXPECT_EQ(domain.in_second.peak(), 3u);
    EXPECT_EQ(domain.in_minute.peak(), 4u);
    EXPECT_EQ(names_->domain("c.test").traffic.connections_peak, 1u);
    EXPECT_EQ(names_->host("mx.a.test").traffic.asked, 5u);
    EXPECT_EQ(names_->host("mx.a.test").traffic.connections_peak, 2u);
}

TEST(PeakRate, SeesBurstsAcrossTheBordersOfSeconds) {
    PeakRate rate{seconds(1)};
    Instant now{seconds(10)};
    for (int i = 0; i < 10; ++i) rate.add(now + milliseconds(900));
    for (int i = 0; i < 10; ++i) rate.add(now + milliseconds(1100));
    EXPECT_EQ(rate.peak(), 20u);
    for (int i = 0; i < 15; ++i) rate.add(now + milliseconds(1950));
    EXPECT_EQ(rate.peak(), 25u);  // the first ten have left
}

}  // namespace
}  // namespace posthorn::sink
