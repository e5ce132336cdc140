#include "campaigns/check.h"

#include <gmock/gmock.h>

#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckTest : public ListFixture {
  protected:
    // A sound campaign over list.csv, with further members.
    CheckedCampaign check(const std::string& members, const CheckOptions& options = {}) {
        file("campaign.json", R"({ "from": "news@acme.test", "return_path": "b@acme.test",
  "compliance": { "physical_address": "Acme", "unsubscribe": { "url": "https://u.acme.test/{{unsubscribe_token}}" } },
  "recipients": { "file": "list.csv", "max_invalid_percent": 50 },
  )" + members + "\n}\n");
        return check_campaign_file(path("campaign.json"), options);
    }

    static std::vector<std::string> shown(const CheckedCampaign& checked) {
        std::vector<std::string> out;
        for (const CampaignError& error : checked.errors)
            out.push_back(error.file + ":" + std::to_string(error.line) + " " +
                          std::string(name_of(error.severity)) + " " +
                          std::string(name_of(error.code)) + " " + error.path);
        return out;
    }
};

TEST_F(CheckTest, ASoundCampaignHasNothingToSay) {
    csv("email,first_name\nann@x.test,Ann\nbob@x.test,Bob\n");
    const CheckedCampaign checked = check(R"("subject": "Hi", "text": "Hi {{first_name}}")");
    EXPECT_THAT(shown(checked), ElementsAre());
    EXPECT_EQ(checked.figures.recipients, 2u);
    EXPECT_TRUE(checked.whole_list);
    EXPECT_THAT(checked.columns, ElementsAre("first_name"));
}

TEST_F(CheckTest, ExamplesAreSound) {
    const std::string root = std::string(POSTHORN_SOURCE_DIR) + "/campaigns/examples/";
    for (const char* name : {"newsletter/newsletter.json", "receipt/receipt.json",
                             "announcement/announcement.jsonc"}) {
        const CheckedCampaign checked = check_campaign_file(root + name, CheckOptions{});
        EXPECT_TRUE(checked.errors.empty()) << to_text(checked.errors, name);
    }
}

TEST_F(CheckTest, FileTemplateAndListAreFaultedTogether) {
    csv("email,first_name\nann@x.test,Ann\nbad,Bob\n");
    file("mail.html", "<p>\n  {{nowhere}}</p>");
    const CheckedCampaign checked =
        check(R"("subject": "{{first_name", "html_file": "mail.html", "tgas": [])");
    EXPECT_FALSE(checked.ok());
    EXPECT_THAT(shown(checked), Contains(":4 error unknown_field /tgas"));
    EXPECT_THAT(shown(checked), Contains(":4 error template_syntax /subject"));
    EXPECT_THAT(shown(checked), Contains("mail.html:2 error template_unknown_var /html_file"));
    EXPECT_THAT(shown(checked), Contains(":3 warning invalid_rows /recipients"));
}

TEST_F(CheckTest, InvalidRowsAreShown) {
    csv("email\nann@x.test\nbad\n");
    const CheckedCampaign checked = check(R"("subject": "Hi", "text": "Hi")");
    ASSERT_EQ(checked.errors.size(), 1u);
    EXPECT_EQ(checked.errors[0].message, "1 of 2 rows are invalid");
    EXPECT_THAT(checked.errors[0].hint, HasSubstr("row 2: 'bad': "));
    EXPECT_TRUE(checked.ok());
}

TEST_F(CheckTest, AListWithoutAnAddressColumnIsFaultedAtItsHeader) {
    csv("mail\nann@x.test\n");
    const CheckedCampaign checked = check(R"("subject": "Hi", "text": "Hi")");
    EXPECT_THAT(shown(checked),
                ElementsAre(path("list.csv") + ":1 error list_columns /recipients/file"));
}

TEST_F(CheckTest, RowsWithoutAValueAreListed) {
    csv("email,first_name\nann@x.test,Ann\nbob@x.test\n");
    const CheckedCampaign checked = check(R"("subject": "Hi", "text": "Hi {{first_name}}")");
    ASSERT_EQ(checked.errors.size(), 1u);
    EXPECT_THAT(checked.errors[0].message, HasSubstr("row 2: "));
    EXPECT_FALSE(checked.ok());
}

TEST_F(CheckTest, AsManyRowsAsWantedAreRead) {
    csv("email\na@x.test\nb@x.test\nc@x.test\n");
    CheckOptions options;
    options.rows_max = 2;
    const CheckedCampaign checked = check(R"("subject": "Hi", "text": "Hi")", options);
    EXPECT_EQ(checked.figures.rows, 2u);
    EXPECT_FALSE(checked.whole_list);
    EXPECT_TRUE(checked.ok());
}

TEST_F(CheckTest, BrokenJsonIsTheOnlyFault) {
    csv("email\na@x.test\n");
    EXPECT_THAT(shown(check(R"("subject": )")), ElementsAre(":5 error json_syntax /subject"));
}

}  // namespace
}  // namespace posthorn
