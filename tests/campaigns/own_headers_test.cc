#include "campaigns/own_headers.h"

#include <gtest/gtest.h>

#include "campaigns/audience_intake.h"
#include "campaigns/campaign_file.h"
#include "campaigns/variants.h"
#include "engine/queue/keys.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

class OwnHeadersTest : public ListFixture {
  protected:
    // The messages of a campaign's inline recipients.
    std::vector<std::string> messages(const std::string& recipients) {
        const LoadedCampaign loaded = read_campaign(
            R"({ "kind": "transactional", "from": "news@acme.test", "subject": "Hi", "text": "Hi",
                 "headers": { "X-All": "everybody", "X-One": "common {{name}}" },
                 "vars": { "name": "plain" }, "recipients": )" +
                recipients + "}",
            directory_, "own", LoadOptions{});
        EXPECT_TRUE(loaded.ok()) << to_text(loaded.errors, "own.json");
        AudienceIntake intake(loaded.campaign, {});
        KeepingSink sink;
        EXPECT_EQ(intake.read(sink, 100), AudienceIntake::State::kDone);
        const CompiledContent compiled =
            compile_campaign(loaded.campaign, intake.columns(), nullptr);
        EXPECT_NE(compiled.renderer, nullptr) << to_text(compiled.problems, "own.json");
        std::vector<std::string> out;
        for (const std::string& row : sink.rows) {
            RenderedMessage message;
            const std::string key = audience_key({1, "x.test"}, local_key("ann"));
            EXPECT_TRUE(compiled.renderer->render({key, row, {}, {}}, message));
            out.push_back(message.bytes.substr(0, message.bytes.find("\r\n\r\n") + 2));
        }
        return out;
    }

    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
            ++found;
        return found;
    }
};

TEST_F(OwnHeadersTest, ARecipientsHeadersStandOverTheCampaigns) {
    const auto all = messages(R"([
        {"email": "ann@x.test", "headers": {"x-one": "Ann's \u00e9 \"own\"", "X-More": "1"}},
        {"email": "bob@x.test", "metadata": {"id": 7}},
        "cat@x.test"])");
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(count(all[0], "X-One"), 0u);
    EXPECT_EQ(count(all[0], "\r\nx-one: "), 1u);
    EXPECT_EQ(count(all[0], "\r\nX-More: 1\r\n"), 1u);
    EXPECT_EQ(count(all[0], "\r\nX-All: everybody\r\n"), 1u);
    for (const std::string& message : {all[1], all[2]}) {
        EXPECT_EQ(count(message, "\r\nX-One: common plain\r\n"), 1u);
        EXPECT_EQ(count(message, "\r\nX-All: everybody\r\n"), 1u);
        EXPECT_EQ(count(message, "X-More"), 0u);
    }
}

TEST_F(OwnHeadersTest, NoListCanGiveHeaders) {
    EXPECT_EQ(rows(csv("email,\x1fheaders:json\na@x.test,{}\n")),
              (std::vector<std::string>{
                  "list_columns 1: a column's name starts with a control character"}));
    const std::string row = R"({"email":"a@x.test","\u001fheaders":{"Bcc":"b@y.test"}})";
    EXPECT_EQ(rows(ndjson(row + "\n")),
              (std::vector<std::string>{"!a key starts with a control character"}));
    const std::string inside =
        R"({"email":"a@x.test","vars":{"\u001fheaders":{"Bcc":"b@y.test"}}})";
    EXPECT_EQ(rows(ndjson(inside + "\n")),
              (std::vector<std::string>{"!a key starts with a control character"}));
}

TEST_F(OwnHeadersTest, HeadersAreFoundInAnyCase) {
    const TemplateValue headers{R"({"X-A":"1","x-b":"2"})", true};
    EXPECT_TRUE(has_own_header(headers, "x-a"));
    EXPECT_TRUE(has_own_header(headers, "X-B"));
    EXPECT_FALSE(has_own_header(headers, "X-C"));
    EXPECT_FALSE(has_own_header({{}, true}, "X-A"));
    EXPECT_FALSE(has_own_header({"X-A", false}, "X-A"));
}

}  // namespace
}  // namespace posthorn
