// What posthorn check says of segments, schedules and the audience that would come of them.
#include <gmock/gmock.h>

#include "campaigns/check.h"
#include "engine/base/units.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class OneCampaign final : public SegmentHistory {
  public:
    Result<bool> knows(std::string_view id) override { return id == "winter"; }
    Result<PastOutcome> outcome(std::string_view, const Address& address) override {
        return address.local == "ann" ? PastOutcome::kSent : PastOutcome::kNone;
    }
};

class CheckAudienceTest : public ListFixture {
  protected:
    CheckedCampaign check(const std::string& list, const std::string& members) {
        file("campaign.json", R"({ "id": "spring", "kind": "transactional",
  "from": "news@acme.test", "return_path": "b@acme.test", "subject": "Hi", "text": "Hi",
  "compliance": { "physical_address": "Acme", "unsubscribe": { "mailto": "u@acme.test" } },
  "recipients": { "file": ")" + list +
                                  "\" },\n" + members + "\n}\n");
        options_.now = *parse_rfc3339("2026-04-02T12:00:00Z");
        options_.history = &history_;
        return check_campaign_file(path("campaign.json"), options_);
    }

    // "line:column severity code: hint" of each.
    static std::vector<std::string> shown(const CheckedCampaign& checked) {
        std::vector<std::string> out;
        for (const CampaignError& error : checked.errors)
            out.push_back(std::to_string(error.line) + ":" + std::to_string(error.column) + " " +
                          std::string(name_of(error.severity)) + " " +
                          std::string(name_of(error.code)) + ": " + error.hint);
        return out;
    }

    CheckOptions options_;
    OneCampaign history_;
};

TEST_F(CheckAudienceTest, FieldsAndCampaignsThatThereAreNotAreFaultedAtTheirPlace) {
    csv("email,plan\nann@x.test,pro\n");
    const std::string segment =
        R"json("segment": "vars.plam == \"x\" or sent('winter') or bounced('w')")json";
    EXPECT_THAT(
        shown(check("list.csv", segment)),
        ElementsAre(
            "5:13 error segment_unknown_field: did you mean `vars.plan`?",
            "5:61 error segment_unknown_field: posthorn status lists those that there are"));
}

TEST_F(CheckAudienceTest, AKeyOfNdjsonThatMayYetComeIsAWarning) {
    ndjson("{\"email\":\"a@x.test\",\"plan\":1}\n{\"email\":\"b@x.test\",\"late\":1}\n");
    options_.rows_max = 1;
    EXPECT_THAT(shown(check("list.ndjson", R"("segment": "vars.late == null")")),
                ElementsAre("5:13 warning segment_unknown_field: known: vars.plan"));
    options_.rows_max = 0;
    EXPECT_TRUE(check("list.ndjson", R"("segment": "vars.late == null")").ok());
    EXPECT_FALSE(check("list.ndjson", R"("segment": "vars.later == null")").ok());
}

TEST_F(CheckAudienceTest, ATimeThatIsPastByMoreThanTheLatenessIsAFault) {
    csv("email\nann@x.test\n");
    const auto verdict = [&](const std::string& schedule) {
        const auto found = shown(check("list.csv", "\"schedule\": " + schedule));
        return found.empty() ? "good" : found.front().substr(0, found.front().find(": "));
    };
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-02T12:30:00Z" })"), "good");
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-02T11:01:00Z" })"), "good");
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-02T10:59:00Z" })"), "5:26 error schedule_past");
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-02T10:59:00Z", "max_lateness": "2h" })"), "good");
    // The window in which it may begin is yet to open.
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-01T20:00:00Z",
                           "windows": [ { "start": "11:30", "end": "18:00" } ] })"),
              "good");
    options_.entered = true;
    EXPECT_EQ(verdict(R"({ "send_at": "2026-04-02T10:59:00Z" })"), "good");
}

TEST_F(CheckAudienceTest, CountingTellsDuplicatesDomainsAndVariantsApart) {
    std::string rows = "email,plan\nUSER1@x.test,pro\nbad,pro\nout@z.test,free\nann@x.test,pro\n";
    for (int i = 0; i < 200; ++i)
        rows += "user" + std::to_string(i) + (i % 4 == 0 ? "@y.test,pro\n" : "@x.test,pro\n");
    csv(rows);
    options_.count = true;
    options_.rows_max = 10;  // counting reads all the same
    const CheckedCampaign checked =
        check("list.csv", R"json("segment": "vars.plan == 'pro' and not sent('winter')",
  "variants": [ { "name": "A" }, { "name": "B" } ])json");
    EXPECT_TRUE(checked.ok()) << to_text(checked.errors, "campaign.json");
    const AudienceFigures expected{204, 1, 1, 0, 2, 200};
    EXPECT_EQ(checked.figures, expected);
    ASSERT_TRUE(checked.count);
    EXPECT_THAT(checked.count->largest_domains(5),
                ElementsAre(Pair("x.test", 150u), Pair("y.test", 50u)));
    ASSERT_EQ(checked.count->variants().size(), 2u);
    EXPECT_EQ(checked.count->variants()[0].second + checked.count->variants()[1].second, 200u);
    EXPECT_GT(checked.count->variants()[0].second, 60u);
}

}  // namespace
}  // namespace posthorn
