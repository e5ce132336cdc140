#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "campaigns/campaign_definition.h"
#include "campaigns/campaign_file.h"
#include "campaigns/dkim_keys.h"
#include "campaigns/organisational_domain.h"
#include "engine/mail/dkim_record.h"
#include "tests/campaigns/message_fixture.h"
#include "tests/mail/dkim_fixture.h"
#include "tests/mail/dkim_verifier.h"

namespace posthorn {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_dkim::key_of;
using testing_dkim::pem_of;
using testing_dkim::signatures_of;
using testing_dkim::verification_fault;
using namespace testing_message;

MessageContent signed_content(MessageContent content) {
    content.signer = std::make_shared<const DkimSigner>(testing_dkim::two_signer());
    return content;
}

void expect_verified(const std::string& message) {
    EXPECT_EQ(verification_fault(message, 0, dkim_record_for(key_of("rsa2048"))), "") << message;
    EXPECT_EQ(verification_fault(message, 1, dkim_record_for(key_of("ed25519"))), "") << message;
}

TEST(MessageSigningTest, EveryKindOfMessageVerifies) {
    MessageContent base64 = html_content(), constant = plain_content();
    base64.html->text = "<p>漢字かな交じり文の例文です。{{first_name}} {{city}}</p>";
    constant.text = TemplateSource{"The same for everybody.  \n\n\n", ""};
    constant.footer = FooterPolicy::kOff;
    for (const MessageContent& content : {plain_content(), html_content(), base64, constant})
        for (const char* value :
             {"Ann", "Jürgen", "  two  \n\n blanks \t", "漢字", "x\r\n.\r\ny", ""}) {
            const std::string row = row_of("ann@b.test", value, {value, value});
            const RenderedMessage message = rendered(signed_content(content), row);
            expect_verified(message.bytes);
            EXPECT_EQ(message.bytes.substr(message.bytes.find("Date: ")),
                      rendered(content, row).bytes);
        }
}

TEST(MessageSigningTest, MessagesOfOneCampaignInTurnEachVerify) {
    const auto renderer = compiled(signed_content(html_content()));
    RenderedMessage message;
    for (int i = 0; i < 100; ++i) {
        const std::string name = i % 7 == 0 ? "Jürgen" : "Ann" + std::to_string(i);
        const std::string row = row_of("ann@b.test", name, {name, "Graz"});
        ASSERT_TRUE(renderer->render(request_for(row), message));
        expect_verified(message.bytes);
    }
}

TEST(MessageSigningTest, BothOptOutHeadersAreSigned) {
    const RenderedMessage message =
        rendered(signed_content(plain_content()), row_of("ann@b.test", "Ann", {"Ann", "Graz"}));
    const std::string names = ":" + signatures_of(message.bytes)[0]["h"] + ":";
    for (const char* name : {":list-unsubscribe:", ":list-unsubscribe-post:", ":list-id:",
                             ":feedback-id:", ":from:from:", ":to:to:", ":subject:subject:",
                             ":date:", ":message-id:", ":mime-version:", ":content-type:"})
        EXPECT_THAT(names, HasSubstr(name));
}

TEST(MessageSigningTest, ARetryDiffersInTheSignatureOnly) {
    const auto renderer = compiled(signed_content(html_content()));
    const std::string row = row_of("ann@b.test", "Ann", {"Ann", "Graz"});
    RenderRequest request = request_for(row);
    RenderedMessage first, again;
    ASSERT_TRUE(renderer->render(request, first));
    request.attempt_time += std::chrono::hours(2);
    ASSERT_TRUE(renderer->render(request, again));
    EXPECT_NE(first.bytes, again.bytes);
    EXPECT_EQ(first.bytes.substr(first.bytes.find("Date: ")),
              again.bytes.substr(again.bytes.find("Date: ")));
    expect_verified(again.bytes);
}

class DkimFileTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
    void TearDown() override { fs::remove_all(directory_); }

    void put(const std::string& name, const std::string& text) {
        std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
        fs::permissions(directory_ + "/" + name, fs::perms::owner_read | fs::perms::owner_write);
    }

    LoadedCampaign load(const std::string& from, const std::string& dkim) {
        return read_campaign(R"({"from": ")" + from + R"(", "subject": "Hello", "text": "Hello",
            "return_path": "b@acme.test", "recipients": ["ann@example.test"],
            "compliance": {"physical_address": "Acme", "unsubscribe": {"mailto": "u@acme.test"}},
            "dkim": )" + dkim + "}",
                             directory_, "test", LoadOptions{});
    }

    std::string directory_ = (fs::temp_directory_path() / "posthorn-dkim-XXXXXX").string();
};

std::vector<std::string> codes_of(const LoadedCampaign& loaded) {
    std::vector<std::string> out;
    for (const CampaignError& error : loaded.errors)
        out.push_back(std::string(name_of(error.severity)) + " " +
                      std::string(name_of(error.code)));
    return out;
}

const std::string kSignature =
    R"([{"domain": "acme.test", "selector": "s1", "key_file": "k.pem"}])";

TEST_F(DkimFileTest, SmallKeysAndForeignDomainsAreWarnedOf) {
    put("k.pem", pem_of("rsa2048"));
    EXPECT_THAT(codes_of(load("news@acme.test", kSignature)), ::testing::IsEmpty());
    EXPECT_THAT(codes_of(load("news@mail.acme.test", kSignature)), ::testing::IsEmpty());
    EXPECT_THAT(codes_of(load("news@other.test", kSignature)),
                ::testing::ElementsAre("warning dkim_unaligned"));
    put("k.pem", pem_of("rsa1024_pkcs1"));
    EXPECT_THAT(codes_of(load("news@acme.test", kSignature)),
                ::testing::ElementsAre("warning dkim_weak"));
    put("k.pem", pem_of("rsa2048"));
    fs::permissions(directory_ + "/k.pem", fs::perms::others_read, fs::perm_options::add);
    EXPECT_THAT(codes_of(load("news@acme.test", kSignature)),
                ::testing::ElementsAre("warning dkim_key"));
}

TEST_F(DkimFileTest, OrganisationsEndWherePublicSuffixesBegin) {
    EXPECT_TRUE(is_aligned("mail.acme.co.uk", "news.acme.co.uk", false));
    EXPECT_FALSE(is_aligned("acme.co.uk", "other.co.uk", false));
    EXPECT_TRUE(is_aligned("acme.test", "a.b.acme.test", false));
    EXPECT_FALSE(is_aligned("acme.test", "notacme.test", false));
}

TEST_F(DkimFileTest, TheStoredCampaignNamesTheKeyAndDoesNotHoldIt) {
    put("k.pem", pem_of("rsa2048"));
    const LoadedCampaign loaded = load("news@acme.test", kSignature);
    ASSERT_TRUE(loaded.ok());
    const std::string definition = normalise(loaded.campaign);
    EXPECT_THAT(definition, HasSubstr("k.pem"));
    EXPECT_THAT(definition, Not(HasSubstr("PRIVATE")));
    const std::string pem = pem_of("rsa2048");
    EXPECT_THAT(definition, Not(HasSubstr(pem.substr(40, 40))));
    const auto stored = load_normalised(definition);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->dkim, loaded.campaign.dkim);
    const auto signer = dkim_signer(*stored);
    ASSERT_TRUE(signer);
    EXPECT_EQ((*signer)->identities().front().selector, "s1");
}

TEST_F(DkimFileTest, AKeyThatHasGoneIsNamedWhenTheCampaignStarts) {
    put("k.pem", pem_of("rsa2048"));
    const LoadedCampaign loaded = load("news@acme.test", kSignature);
    fs::remove(directory_ + "/k.pem");
    const auto signer = dkim_signer(loaded.campaign);
    ASSERT_FALSE(signer);
    EXPECT_THAT(signer.error().message, HasSubstr("k.pem"));
    put("k.pem", pem_of("rsa512"));
    EXPECT_FALSE(dkim_signer(loaded.campaign));
}

TEST_F(DkimFileTest, SignaturesMayMoveTheirFilesButNotTheirNames) {
    put("k.pem", pem_of("rsa2048"));
    put("moved.pem", pem_of("rsa2048"));
    const Digests sent = digests(load("news@acme.test", kSignature).campaign);
    const Digests moved =
        digests(load("news@acme.test",
                     R"([{"domain": "acme.test", "selector": "s1", "key_file": "moved.pem"}])")
                    .campaign);
    EXPECT_THAT(compare(sent, moved).refused, ::testing::IsEmpty());
    const Digests other =
        digests(load("news@acme.test",
                     R"([{"domain": "acme.test", "selector": "s2", "key_file": "k.pem"}])")
                    .campaign);
    EXPECT_THAT(compare(sent, other).refused, Contains("dkim"));
    EXPECT_THAT(compare(sent, digests(load("news@acme.test", "[]").campaign)).refused,
                Contains("dkim"));
}

}  // namespace
}  // namespace posthorn
