#include "campaigns/missing_values.h"

#include <gmock/gmock.h>

#include "campaigns/campaign_content.h"
#include "campaigns/campaign_file.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NoSink final : public AudienceSink {
  public:
    Status add(std::string_view, std::string_view, std::string_view, std::uint64_t) override {
        ++rows;
        return {};
    }
    int rows = 0;
};

class MissingValuesTest : public ListFixture {
  protected:
    std::vector<std::string> found(const std::string& list_name, const std::string& list,
                                   const std::string& text) {
        file(list_name, list);
        const LoadedCampaign loaded = read_campaign(
            R"({"from": "a@acme.test", "kind": "transactional", "subject": "Hi", "text": ")" +
                text + R"(", "recipients": {"file": ")" + list_name + R"("}})",
            path("."), "x", LoadOptions{});
        EXPECT_TRUE(loaded.ok()) << to_text(loaded.errors, "x");
        AudienceIntake intake(loaded.campaign, {});
        NoSink sink;
        MissingValues missing(
            sink, [&]() -> const std::vector<std::string>& { return intake.columns(); },
            [&](const std::vector<std::string>& columns) {
                return compile_content(message_content(loaded.campaign, columns), nullptr);
            });
        while (intake.state() == AudienceIntake::State::kReading) intake.read(missing, 7);
        rows_passed_ = sink.rows;
        rows_ = missing.rows();
        std::vector<std::string> out;
        for (const CampaignError& error : missing.errors()) out.push_back(error.message);
        return out;
    }

    int rows_passed_ = 0;
    std::uint64_t rows_ = 0;
};

TEST_F(MissingValuesTest, RowsAreNamedByTheirNumber) {
    EXPECT_THAT(found("list.csv", "email,x,y\na@x.test,1,2\nb@x.test\nc@x.test,1\n", "{{x}}{{y}}"),
                ElementsAre("row 2: text/plain: {{x}} has no value",
                            "row 3: text/plain: {{y}} has no value"));
    EXPECT_EQ(rows_passed_, 3);
    EXPECT_THAT(found("list.csv", "email,x\na@x.test\n", "{{x | default: 1}}{{#if x}}{{x}}{{/if}}"),
                IsEmpty());
}

TEST_F(MissingValuesTest, WhatNoRowHadBeforeIsMissingInThoseBefore) {
    EXPECT_THAT(
        found("list.ndjson",
              "{\"email\":\"a@x.test\"}\n{\"email\":\"b@x.test\",\"x\":1}\n"
              "{\"email\":\"c@x.test\",\"x\":null}\n{\"email\":\"d@x.test\",\"y\":1,\"x\":2}\n",
              "{{x}}"),
        ElementsAre("row 1: no column or variable is called 'x'",
                    "row 3: text/plain: {{x}} has no value"));
}

TEST_F(MissingValuesTest, TheFirstAreListedAndTheOthersCounted) {
    std::string list = "email,x\n";
    for (int i = 0; i < 100; ++i) list += "a" + std::to_string(i) + "@x.test\n";
    const std::vector<std::string> errors = found("list.csv", list, "{{x}}");
    EXPECT_EQ(errors.size(), kMissingRowsShown);
    EXPECT_THAT(errors.back(),
                HasSubstr("row 20: text/plain: {{x}} has no value (and 80 more rows)"));
    EXPECT_EQ(rows_, 100u);
}

}  // namespace
}  // namespace posthorn
