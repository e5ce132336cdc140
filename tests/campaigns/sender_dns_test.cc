#include "campaigns/sender_dns.h"

#include <gmock/gmock.h>

#include <map>

#include "campaigns/organisational_domain.h"
#include "engine/mail/dkim_record.h"
#include "tests/mail/dkim_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing_dkim::key_of;
using State = DnsReply::State;

// A zone: "mx acme.test" and so on lead to records; what is not in it does not exist.
class SenderDnsTest : public ::testing::Test {
  protected:
    SenderDnsTest() {
        sender_.from_domain = "news.acme.test";
        sender_.return_path_domain = "b.acme.test";
        zone_ = {{"mx news.acme.test", {"mx.acme.test"}},
                 {"mx b.acme.test", {"mx.acme.test"}},
                 {"txt b.acme.test", {"other text", "v=spf1 ip4:192.0.2.1 -all"}},
                 {"txt _dmarc.acme.test", {"v=DMARC1; p=reject; rua=mailto:d@acme.test"}}};
    }

    std::vector<std::string> problems() {
        std::vector<std::string> out;
        messages_.clear();
        for (const CampaignError& error : check_sender_dns(sender_, [this](const DnsQuery& query) {
                 constexpr const char* kTypes[] = {"mx ", "a ", "txt ", "ptr "};
                 const std::string key = kTypes[static_cast<int>(query.type)] + query.name;
                 const auto found = zone_.find(key);
                 if (found == zone_.end()) return DnsReply{State::kNoDomain, {}, ""};
                 if (found->second == std::vector<std::string>{"SERVFAIL"})
                     return DnsReply{State::kFailed, {}, "SERVFAIL"};
                 return DnsReply{State::kFound, found->second, ""};
             })) {
            out.push_back(std::string(name_of(error.severity)) + " " +
                          std::string(name_of(error.code)) + " " + error.path);
            messages_ += error.message + "\n" + error.hint + "\n";
        }
        return out;
    }

    SenderDns sender_;
    std::map<std::string, std::vector<std::string>> zone_;
    std::string messages_;
};

TEST_F(SenderDnsTest, ASoundSenderHasNothingToMend) { EXPECT_THAT(problems(), IsEmpty()); }

TEST_F(SenderDnsTest, ASenderThatDoesNotExistIsAnError) {
    zone_.erase("mx news.acme.test");
    EXPECT_THAT(problems(), ElementsAre("error dns_unresolved /from"));
    zone_["a news.acme.test"] = {"192.0.2.9"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_mx /from"));
    zone_["mx news.acme.test"] = {""};
    EXPECT_THAT(problems(), ElementsAre("error dns_mx /from"));
}

TEST_F(SenderDnsTest, SpfIsOneRecordThatKeepsSomebodyOut) {
    zone_["txt b.acme.test"] = {"v=spf1 -all", "V=SPF1 mx -all"};
    EXPECT_THAT(problems(), ElementsAre("error dns_spf /return_path", "error dns_dmarc /from"));
    zone_["txt b.acme.test"] = {"v=spf1 +all"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_spf /return_path"));
    zone_.erase("txt b.acme.test");
    EXPECT_THAT(problems(), ElementsAre("warning dns_spf /return_path", "error dns_dmarc /from"));
}

TEST_F(SenderDnsTest, DmarcAsksForAnAlignedDomain) {
    sender_.return_path_domain = "bounces.elsewhere.test";
    zone_["mx bounces.elsewhere.test"] = {"mx.elsewhere.test"};
    zone_["txt bounces.elsewhere.test"] = {"v=spf1 -all"};
    EXPECT_THAT(problems(), ElementsAre("error dns_dmarc /from"));
    EXPECT_THAT(messages_, HasSubstr("sign as the From domain"));
    zone_["txt _dmarc.news.acme.test"] = {"v=DMARC1; p=none"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_dmarc /from"));
    sender_.signers = {{"acme.test", "s1", key_of("rsa2048")}};
    zone_["txt s1._domainkey.acme.test"] = {dkim_record_for(key_of("rsa2048"))};
    EXPECT_THAT(problems(), IsEmpty());
    zone_["txt _dmarc.news.acme.test"] = {"v=DMARC1; p=reject; adkim=s"};
    EXPECT_THAT(problems(), ElementsAre("error dns_dmarc /from"));
}

TEST_F(SenderDnsTest, ADmarcPolicyIsThereAndOneOfThree) {
    zone_.erase("txt _dmarc.acme.test");
    EXPECT_THAT(problems(), ElementsAre("warning dns_dmarc /from"));
    zone_["txt _dmarc.news.acme.test"] = {"v=DMARC1; p=block"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_dmarc /from"));
    zone_["txt _dmarc.news.acme.test"] = {"v=DMARC1; p=none", "v=DMARC1; p=reject"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_dmarc /from"));
}

TEST_F(SenderDnsTest, ThePublishedKeyIsTheOneThatSigns) {
    const std::string ours = dkim_record_for(key_of("ed25519"));
    sender_.signers = {{"acme.test", "s1", key_of("ed25519")}};
    EXPECT_THAT(problems(), ElementsAre("error dns_dkim /dkim"));
    EXPECT_THAT(messages_, HasSubstr("publish TXT \"" + ours + "\""));
    for (const std::string& wrong :
         {std::string("v=DKIM1; p="), std::string("p"), dkim_record_for(key_of("rsa2048")),
          ours + "; h=sha1", ours + "; s=other"}) {
        zone_["txt s1._domainkey.acme.test"] = {wrong};
        EXPECT_THAT(problems(), ElementsAre("error dns_dkim /dkim")) << wrong;
    }
    zone_["txt s1._domainkey.acme.test"] = {ours + "; t=y"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_dkim /dkim"));
    zone_["txt s1._domainkey.acme.test"] = {"SERVFAIL"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_failed /dkim"));
    zone_["txt s1._domainkey.acme.test"] = {ours};
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SenderDnsTest, SourcesHaveNamesThatLeadBack) {
    sender_.sources = {{*IpAddress::parse("192.0.2.1"), "mta1.acme.test"}};
    EXPECT_THAT(problems(), ElementsAre("warning dns_ptr ", "warning dns_ptr "));
    zone_["ptr 1.2.0.192.in-addr.arpa"] = {"host.provider.test"};
    zone_["a mta1.acme.test"] = {"192.0.2.1"};
    EXPECT_THAT(problems(), ElementsAre("warning dns_ptr "));
    EXPECT_THAT(messages_, HasSubstr("does not lead back"));
    zone_["a host.provider.test"] = {"192.0.2.7", "192.0.2.1"};
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SenderDnsTest, ASilentDnsIsSaidAndNotGuessedAbout) {
    zone_["mx news.acme.test"] = {"SERVFAIL"};
    zone_["txt b.acme.test"] = {"SERVFAIL"};
    EXPECT_THAT(problems(),
                ElementsAre("warning dns_failed /from", "warning dns_failed /return_path"));
}

TEST(ReverseName, OfBothFamilies) {
    EXPECT_EQ(reverse_name(*IpAddress::parse("192.0.2.1")), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(reverse_name(*IpAddress::parse("2001:db8::1")),
              "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(OrganisationalDomain, FollowsThePublicSuffixList) {
    EXPECT_EQ(organisational_domain("a.b.acme.com"), "acme.com");
    EXPECT_EQ(organisational_domain("news.acme.co.uk"), "acme.co.uk");
    EXPECT_EQ(organisational_domain("acme.com"), "acme.com");
    EXPECT_EQ(organisational_domain("co.uk"), "co.uk");
    EXPECT_EQ(organisational_domain(""), "");
    EXPECT_TRUE(is_aligned("b.acme.com", "news.acme.com", false));
    EXPECT_FALSE(is_aligned("b.acme.com", "news.acme.com", true));
    EXPECT_FALSE(is_aligned("one.co.uk", "two.co.uk", false));
}

}  // namespace
}  // namespace posthorn
