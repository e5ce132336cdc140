#include "campaigns/audience_intake.h"

#include <gmock/gmock.h>

#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AudienceIntakeTest : public ListFixture {
  protected:
    static constexpr std::uint64_t kAll = 1'000'000'000;

    AudienceFigures take(AudienceIntake& intake) {
        while (intake.read(sink_, kAll) == AudienceIntake::State::kReading) {
        }
        return intake.figures();
    }

    static std::string first_error(const AudienceIntake& intake) {
        return intake.errors().empty() ? ""
                                       : std::string(name_of(intake.errors()[0].code)) + " " +
                                             intake.errors()[0].message;
    }

    Campaign campaign_;
    KeepingSink sink_;
};

TEST_F(AudienceIntakeTest, EveryRowIsCountedOnce) {
    campaign_.recipients = csv(
        "email,city\nann@x.test,Graz\nbad,Graz\nbob@competitor.test,Wien\n"
        "Cat@X.test,Linz\nsup@x.test,Wien\nout@x.test,Wien\ndan@y.test,Wels\nlate@y.test,Wels\n");
    campaign_.recipients.max_invalid_percent = 50;
    campaign_.recipients.limit = 3;
    campaign_.exclude.domains = {"competitor.test"};
    campaign_.exclude.lists.push_back(Content{file("out.csv", "OUT@x.test\n"), {}, {}});
    IntakeOptions options;
    options.suppressed = [](const Address& address) -> Result<bool> {
        return address.local == "sup";
    };
    AudienceIntake intake(campaign_, std::move(options));
    const AudienceFigures figures = take(intake);
    EXPECT_EQ(first_error(intake), "");
    EXPECT_EQ(figures, (AudienceFigures{8, 1, 0, 1, 3, 3}));
    EXPECT_EQ(figures.rows, figures.invalid + figures.duplicate + figures.suppressed +
                                figures.excluded + figures.recipients);
    EXPECT_THAT(sink_.added, ElementsAre("ann@x.test 1", "Cat@x.test 4", "dan@y.test 7"));
    EXPECT_THAT(intake.columns(), ElementsAre("city"));
}

TEST_F(AudienceIntakeTest, RowsAreEncodedWithNameAndVariables) {
    campaign_.recipients =
        csv("email,name,a,b:json,c\nJ@b\xC3\xBC"
            "cher.test,\"Ann, Lee\",1,[2],\n"
            "Bob <bob@x.test>,,1,,\n");
    AudienceIntake intake(campaign_, {});
    take(intake);
    ASSERT_EQ(sink_.rows.size(), 2u);
    auto row = AudienceRow::parse(sink_.rows[0]);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->address(), "J@xn--bcher-kva.test");
    EXPECT_EQ(row->name(), "Ann, Lee");
    EXPECT_EQ(row->next().bytes, "1");
    EXPECT_TRUE(row->next().is_json);
    EXPECT_FALSE(row->next().missing());
    EXPECT_TRUE(row->next().missing());
    row = AudienceRow::parse(sink_.rows[1]);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->address(), "bob@x.test");
}

TEST_F(AudienceIntakeTest, RejectsAreWrittenWithRowLineAndReason) {
    campaign_.recipients =
        csv("email\nok@x.test\n\n=cmd|' /C calc'!A0\n\"a\"\"b,c\"\nno\x01@x.test\n");
    campaign_.recipients.max_invalid_percent = 100;
    IntakeOptions options;
    options.rejects_file = path("id.rejects.csv");
    AudienceIntake intake(campaign_, std::move(options));
    EXPECT_EQ(take(intake).invalid, 3u);
    const std::string rejects = contents(path("id.rejects.csv"));
    EXPECT_THAT(rejects,
                ::testing::StartsWith("row,line,email,reason\n2,4,\"'=cmd|' /C calc'!A0\","));
    EXPECT_THAT(rejects, HasSubstr("\n3,5,\"a\"\"b,c\","));
    EXPECT_THAT(rejects, HasSubstr("\n4,6,no\xEF\xBF\xBD@x.test,"));
}

TEST_F(AudienceIntakeTest, TooManyInvalidRowsAreRefusedAtTheEnd) {
    campaign_.recipients = csv("email\na@x.test\nb@x.test\nbad\n");
    AudienceIntake intake(campaign_, {});
    take(intake);
    EXPECT_EQ(first_error(intake), "too_many_invalid 1 of 3 rows are invalid (33.3 %)");
    campaign_.recipients.max_invalid_percent = 34;
    AudienceIntake lenient(campaign_, {});
    take(lenient);
    EXPECT_EQ(lenient.state(), AudienceIntake::State::kDone);
}

TEST_F(AudienceIntakeTest, AHopelessListIsRefusedBeforeItsEnd) {
    std::string bytes = "email\n";
    for (int i = 0; i < 20'000; ++i) bytes += "nothing\n";
    campaign_.recipients = csv(bytes);
    AudienceIntake intake(campaign_, {});
    const AudienceFigures figures = take(intake);
    EXPECT_THAT(first_error(intake), HasSubstr("too_many_invalid"));
    EXPECT_LT(figures.rows, 10'000u);
}

TEST_F(AudienceIntakeTest, ABadStartAloneIsNoReasonToRefuse) {
    std::string bytes = "email\n";
    for (int i = 0; i < 2'000; ++i) bytes += "nothing\n";
    for (int i = 0; i < 30'000; ++i) bytes += "a@x.test\n";
    campaign_.recipients = csv(bytes);
    AudienceIntake intake(campaign_, {});
    EXPECT_EQ(take(intake).recipients, 30'000u);
    EXPECT_EQ(intake.state(), AudienceIntake::State::kDone);
}

TEST_F(AudienceIntakeTest, InvalidRowsMayBeErrors) {
    campaign_.recipients = csv("email\na@x.test\nbad\nworse\n");
    campaign_.recipients.invalid = InvalidRows::kError;
    AudienceIntake intake(campaign_, {});
    take(intake);
    ASSERT_EQ(intake.errors().size(), 2u);
    EXPECT_EQ(intake.errors()[0].line, 3u);
    EXPECT_EQ(intake.errors()[0].file, campaign_.recipients.file);
    EXPECT_EQ(intake.state(), AudienceIntake::State::kFailed);
}

TEST_F(AudienceIntakeTest, AListWithoutARecipientIsAnError) {
    campaign_.recipients = csv("email\n");
    AudienceIntake intake(campaign_, {});
    take(intake);
    EXPECT_EQ(first_error(intake), "recipients_empty the list has no recipient");
}

TEST_F(AudienceIntakeTest, AnInterruptedIntakeGoesOnAsIfItHadNotBeen) {
    std::string bytes = "email,city\n";
    for (int i = 0; i < 500; ++i)
        bytes += (i % 20 == 3 ? "bad" : "user" + std::to_string(i) + "@x.test") + ",Graz\n";
    campaign_.recipients = csv(bytes);
    const auto options = [&](const char* name) {
        IntakeOptions out;
        out.rejects_file = path(name);
        return out;
    };
    AudienceIntake whole(campaign_, options("whole.csv"));
    take(whole);
    const KeepingSink expected = sink_;
    sink_ = {};

    auto broken = std::make_unique<AudienceIntake>(campaign_, options("broken.csv"));
    broken->read(sink_, 123);
    const std::string token = broken->position()->encode();
    KeepingSink lost;
    broken->read(lost, 100);  // handed on, but the importer died before it was kept
    broken.reset();
    AudienceIntake rest(campaign_, options("broken.csv"), IntakePosition::decode(token));
    EXPECT_EQ(take(rest), whole.figures());
    EXPECT_EQ(sink_.added, expected.added);
    EXPECT_EQ(contents(path("broken.csv")), contents(path("whole.csv")));
    EXPECT_EQ(rest.list_digest(), whole.list_digest());
}

TEST_F(AudienceIntakeTest, AChangedListIsNotGoneOnWith) {
    campaign_.recipients = csv("email\na@x.test\nb@x.test\n");
    AudienceIntake first(campaign_, {});
    first.read(sink_, 1);
    const auto position = first.position();
    csv("email\na@x.test\nb@x.test\nc@x.test\n");
    AudienceIntake second(campaign_, {}, *position);
    EXPECT_EQ(second.state(), AudienceIntake::State::kFailed);
    EXPECT_THAT(first_error(second), HasSubstr("campaign_changed the list has changed"));
}

TEST_F(AudienceIntakeTest, TheDigestKnowsTheListAgain) {
    campaign_.recipients = csv("email\na@x.test\nb@x.test\n");
    AudienceIntake intake(campaign_, {});
    take(intake);
    const std::string digest = intake.list_digest();
    EXPECT_TRUE(*list_matches(campaign_.recipients, digest));
    csv("email\na@x.test\nc@x.test\n");
    EXPECT_FALSE(*list_matches(campaign_.recipients, digest));
    csv("email\n");
    EXPECT_FALSE(*list_matches(campaign_.recipients, digest));
    EXPECT_FALSE(list_matches(campaign_.recipients, "nonsense").has_value());
}

TEST_F(AudienceIntakeTest, DamagedPositionsAreNotPositions) {
    const std::string token = IntakePosition{}.encode();
    EXPECT_TRUE(IntakePosition::decode(token));
    EXPECT_FALSE(IntakePosition::decode(token + "x"));
    EXPECT_FALSE(IntakePosition::decode(token.substr(1)));
    EXPECT_FALSE(IntakePosition::decode(""));
}

TEST_F(AudienceIntakeTest, ThoseOutsideTheSegmentAreExcluded) {
    Campaign campaign;
    campaign.recipients =
        csv("email,name,plan\na@x.test,Ann,pro\nb@x.test,Bob,free\n"
            "c@y.test,Cat,pro\nd@x.test,Dan,\n");
    campaign.segment = "vars.plan == 'pro' and domain == 'X.test' or name == 'Dan'";
    KeepingSink sink;
    AudienceIntake intake(campaign, {});
    EXPECT_EQ(intake.read(sink, 100), AudienceIntake::State::kDone);
    EXPECT_EQ(sink.added, (std::vector<std::string>{"a@x.test 1", "d@x.test 4"}));
    EXPECT_EQ(intake.figures().excluded, 2u);
    EXPECT_EQ(intake.figures().recipients, 2u);
}

TEST_F(AudienceIntakeTest, ASegmentFollowsKeysThatComeLateInNdjson) {
    Campaign campaign;
    campaign.recipients = ndjson(
        "{\"email\":\"a@x.test\"}\n"
        "{\"email\":\"b@x.test\",\"late\":{\"n\":[1,2]}}\n");
    campaign.segment = "2 in vars.late.n";
    KeepingSink sink;
    AudienceIntake intake(campaign, {});
    EXPECT_EQ(intake.read(sink, 100), AudienceIntake::State::kDone);
    EXPECT_EQ(sink.added, (std::vector<std::string>{"b@x.test 2"}));
}

// Keeps the ranks of what it is given.
class RankSink final : public AudienceSink {
  public:
    Status add(std::string_view, std::string_view, std::string_view, std::uint64_t) override {
        ADD_FAILURE() << "without a rank";
        return {};
    }
    Status add_ranked(std::string_view, std::string_view local, std::string_view, std::uint64_t,
                      std::uint64_t rank) override {
        ranked.emplace_back(rank, local);
        return {};
    }
    std::vector<std::pair<std::uint64_t, std::string>> ranked;
};

TEST_F(AudienceIntakeTest, HigherPrioritiesRankFirstAndWhatIsNoNumberLast) {
    Campaign campaign;
    campaign.recipients =
        csv("email,score\nword@x.test,high\nzero@x.test,0\nminus@x.test,-3\n"
            "ten@x.test,10\nhalf@x.test, 9.5 \nbig@x.test,1e12\nnone@x.test,\n");
    campaign.recipients.priority = "score";
    RankSink sink;
    AudienceIntake intake(campaign, {});
    EXPECT_EQ(intake.read(sink, 100), AudienceIntake::State::kDone);
    std::stable_sort(sink.ranked.begin(), sink.ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> order;
    for (const auto& [rank, local] : sink.ranked) order.push_back(local);
    EXPECT_EQ(order,
              (std::vector<std::string>{"big", "ten", "half", "zero", "minus", "word", "none"}));
}

TEST_F(AudienceIntakeTest, APriorityColumnThatThereIsNotIsAFault) {
    Campaign campaign;
    campaign.recipients.priority = "scor";
    for (const bool as_csv : {true, false}) {
        const std::string priority = campaign.recipients.priority;
        campaign.recipients = as_csv ? csv("email,score\na@x.test,1\n")
                                     : ndjson("{\"email\":\"a@x.test\",\"score\":1}\n");
        campaign.recipients.priority = priority;
        RankSink sink;
        AudienceIntake intake(campaign, {});
        EXPECT_EQ(intake.read(sink, 100), AudienceIntake::State::kFailed);
        ASSERT_EQ(intake.errors().size(), 1u);
        EXPECT_EQ(intake.errors()[0].path, "/recipients/priority");
        EXPECT_EQ(intake.errors()[0].hint, "did you mean `score`?");
    }
}

}  // namespace
}  // namespace posthorn
