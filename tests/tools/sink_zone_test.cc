#include "tools/sink/zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace posthorn::sink {
namespace {

class SinkZone : public testing::Test {
  protected:
    void use(std::string_view json) {
        auto read = parse_profile(json, "test");
        ASSERT_TRUE(read.has_value()) << read.error().message;
        profile_ = *std::move(read);
        names_ = std::make_unique<Names>(profile_, 1);
        zone_ = std::make_unique<Zone>(*names_, "digest");
    }
    std::optional<DnsMessage> ask(const std::string& name, std::uint16_t type) {
        DnsMessage query;
        query.id = 7;
        query.recursion_desired = true;
        query.questions = {{name, type, dns::kClassIn}};
        return zone_->answer(query);
    }
    std::vector<std::string> mx(const std::string& domain) {
        std::vector<std::string> out;
        const auto answer = ask(domain, dns::kMx);
        for (const auto& record : answer->answers)
            if (const auto* mx = std::get_if<dns::MailExchange>(&record.value))
                out.push_back(std::to_string(mx->preference) + " " + mx->host);
        return out;
    }
    std::string a(const std::string& name) {
        const auto answer = ask(name, dns::kA);
        if (answer->answers.empty()) return "none";
        const auto& octets = std::get<dns::Address4>(answer->answers[0].value).octets;
        return address_text(static_cast<std::uint32_t>(octets[0]) << 24 | octets[1] << 16 |
                            octets[2] << 8 | octets[3]);
    }

    Profile profile_;
    std::unique_ptr<Names> names_;
    std::unique_ptr<Zone> zone_;
};

TEST_F(SinkZone, EveryDomainHasAMailHostWithAnAddressThatLeadsBack) {
    use(R"({"domains":[]})");
    EXPECT_THAT(mx("Any.Test"), testing::ElementsAre("10 mx.any.test"));
    const std::string address = a("mx.any.test");
    EXPECT_TRUE(address.starts_with("127."));
    EXPECT_NE(address, "127.0.0.1");
    const std::uint32_t number = names_->host("mx.any.test").address;
    const std::string reverse = std::to_string(number & 0xff) + "." +
                                std::to_string(number >> 8 & 0xff) + "." +
                                std::to_string(number >> 16 & 0xff) + ".127.in-addr.arpa";
    const auto pointer = ask(reverse, dns::kPtr);
    EXPECT_EQ(std::get<dns::NameTarget>(pointer->answers.at(0).value).name, "mx.any.test");
    EXPECT_EQ(&names_->host_at(number), &names_->host("mx.any.test"));
}

TEST_F(SinkZone, AnswersRepeatTheQuestionAsItWasSpelt) {
    use(R"({"domains":[]})");
    const auto answer = ask("AnY.tEsT", dns::kMx);
    EXPECT_EQ(answer->id, 7);
    EXPECT_TRUE(answer->response);
    EXPECT_EQ(answer->questions[0].name, "AnY.tEsT");
    EXPECT_EQ(answer->answers[0].name, "AnY.tEsT");
}

TEST_F(SinkZone, NoTwoNamesInUseShareAnAddress) {
    use(R"({"domains":[]})");
    std::set<std::uint32_t> addresses;
    for (int i = 0; i < 20000; ++i) {
        const std::uint32_t address = names_->host("mx.d" + std::to_string(i) + ".test").address;
        EXPECT_EQ(address >> 24, 127u);
        EXPECT_NE(address >> 16 & 0xff, 0u);
        EXPECT_NE(address >> 16 & 0xff, 255u);
        addresses.insert(address);
    }
    EXPECT_EQ(addresses.size(), 20000u);
}

TEST_F(SinkZone, AddressesAreTheSameInEveryRun) {
    use(R"({"domains":[]})");
    const std::string before = a("mx.any.test");
    use(R"({"domains":[]})");
    EXPECT_EQ(a("mx.any.test"), before);
}

TEST_F(SinkZone, WhatIsNotThereIsSaidWithAnAuthorityRecord) {
    use(R"({"domains":[]})");
    const auto answer = ask("any.test", dns::kAaaa);
    EXPECT_EQ(answer->rcode, dns::kNoError);
    EXPECT_TRUE(answer->answers.empty());
    ASSERT_EQ(answer->authority.size(), 1u);
    EXPECT_EQ(answer->authority[0].type, dns::kSoa);
}

TEST_F(SinkZone, EachModeOfFailureHasItsAnswer) {
    use(R"({"domains":[{"match":"nx.test","dns":"nxdomain"},{"match":"null.test","dns":"nullmx"},
        {"match":"fail.test","dns":"servfail"},{"match":"slow.test","dns":"timeout"},
        {"match":"*.loop.test","dns":"loop"},{"match":"alias.test","dns":"cname"},
        {"match":"cname.alias.test","dns":"cname"}]})");
    EXPECT_EQ(ask("nx.test", dns::kMx)->rcode, dns::kNxDomain);
    EXPECT_EQ(ask("nx.test", dns::kA)->rcode, dns::kNxDomain);
    EXPECT_EQ(ask("nx.test", dns::kMx)->authority.size(), 1u);
    EXPECT_THAT(mx("null.test"), testing::ElementsAre("0 "));
    EXPECT_EQ(ask("fail.test", dns::kMx)->rcode, dns::kServFail);
    EXPECT_FALSE(ask("slow.test", dns::kMx).has_value());
    const auto loop = ask("a.loop.test", dns::kMx);
    EXPECT_EQ(std::get<dns::NameTarget>(loop->answers.at(0).value).name, "loop.a.loop.test");
    const auto back = ask("loop.a.loop.test", dns::kMx);
    EXPECT_EQ(std::get<dns::NameTarget>(back->answers.at(0).value).name, "a.loop.test");
    const auto alias = ask("alias.test", dns::kMx);
    ASSERT_EQ(alias->answers.size(), 2u);
    EXPECT_EQ(std::get<dns::NameTarget>(alias->answers[0].value).name, "cname.alias.test");
    EXPECT_EQ(alias->answers[1].name, "cname.alias.test");
    EXPECT_EQ(std::get<dns::MailExchange>(alias->answers[1].value).host, "mx.cname.alias.test");
}

TEST_F(SinkZone, HostsOfAProfileServeAllItsDomainsAndTheFirstMayBeDead) {
    use(R"({"domains":[
        {"match":"*.p.test","mx":["mx1.p.net","mx2.p.net"]},
        {"match":"*","mx":["mx1.{domain}","mx2.{domain}"],"dead_mx":1}]})");
    EXPECT_THAT(mx("a.p.test"), testing::ElementsAre("10 mx1.p.net", "20 mx2.p.net"));
    EXPECT_THAT(mx("b.p.test"), testing::ElementsAre("10 mx1.p.net", "20 mx2.p.net"));
    EXPECT_THAT(mx("c.test"), testing::ElementsAre("10 mx1.c.test", "20 mx2.c.test"));
    EXPECT_EQ(a("mx1.c.test"), address_text(kDeadAddress));
    EXPECT_NE(a("mx2.c.test"), address_text(kDeadAddress));
    EXPECT_NE(a("mx1.p.net"), address_text(kDeadAddress));
}

TEST_F(SinkZone, AShareOfDomainsIsDrawnByNameOnceAndForAll) {
    use(R"({"domains":[{"match":"*","share":0.2,"dns":"nxdomain"}]})");
    int missing = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "d" + std::to_string(i) + ".test";
        const auto code = ask(name, dns::kMx)->rcode;
        EXPECT_EQ(ask(name, dns::kMx)->rcode, code);
        missing += code == dns::kNxDomain;
        if (code == dns::kNoError) {
            EXPECT_NE(a("mx." + name), "none") << name;
        }
    }
    EXPECT_NEAR(missing, 200, 50);
}

TEST_F(SinkZone, DaneIsAnsweredWithTheKeysDigestAndTheAuthenticBit) {
    use(R"({"domains":[{"match":"safe.test","dane":"ok"},{"match":"lie.test","dane":"wrong"}]})");
    const auto answer = ask("_25._tcp.mx.safe.test", dns::kTlsa);
    EXPECT_TRUE(answer->authentic);
    EXPECT_EQ(std::get<dns::TlsAssociation>(answer->answers.at(0).value),
              (dns::TlsAssociation{3, 1, 1, "digest"}));
    EXPECT_TRUE(ask("safe.test", dns::kMx)->authentic);
    const auto lie = ask("_25._tcp.mx.lie.test", dns::kTlsa);
    EXPECT_NE(std::get<dns::TlsAssociation>(lie->answers.at(0).value).bytes, "digest");
    EXPECT_TRUE(ask("_25._tcp.mx.other.test", dns::kTlsa)->answers.empty());
    EXPECT_FALSE(ask("other.test", dns::kMx)->authentic);
}

TEST_F(SinkZone, TlsaRecordsMayBeMissingOrKeptBackAndMtaStsHasARecord) {
    use(R"({"domains":[{"match":"none.test","dane":"missing","sts":"a1"},
                       {"match":"back.test","dane":"servfail"}]})");
    const auto none = ask("_25._tcp.mx.none.test", dns::kTlsa);
    EXPECT_TRUE(none->authentic && none->answers.empty());
    EXPECT_EQ(none->rcode, dns::kNoError);
    EXPECT_EQ(ask("_25._tcp.mx.back.test", dns::kTlsa)->rcode, dns::kServFail);
    const auto record = ask("_mta-sts.none.test", dns::kTxt);
    EXPECT_EQ(std::get<dns::Text>(record->answers.at(0).value), (dns::Text{{"v=STSv1; id=a1;"}}));
    EXPECT_TRUE(ask("_mta-sts.back.test", dns::kTxt)->answers.empty());
}

TEST_F(SinkZone, TooMuchForUdpIsCutAndWholeOverTcp) {
    std::string hosts;
    for (int i = 0; i < 60; ++i)
        hosts += (i ? ",\"" : "\"") + ("host-number-" + std::to_string(i)) + ".p.test\"";
    use(R"({"domains":[{"match":"*","mx":[)" + hosts + "]}]}");
    DnsMessage query;
    query.questions = {{"a.test", dns::kMx, dns::kClassIn}};
    const std::string bytes = *build_dns_message(query);
    const auto udp = parse_dns_message(answer_bytes(*zone_, bytes, false));
    ASSERT_TRUE(udp.has_value());
    EXPECT_TRUE(udp->truncated);
    EXPECT_LT(udp->answers.size(), 60u);
    const auto tcp = parse_dns_message(answer_bytes(*zone_, bytes, true));
    ASSERT_TRUE(tcp.has_value());
    EXPECT_FALSE(tcp->truncated);
    EXPECT_EQ(tcp->answers.size(), 60u);
}

TEST_F(SinkZone, WhatIsNoQueryIsNotAnswered) {
    use(R"({"domains":[]})");
    EXPECT_EQ(answer_bytes(*zone_, "rubbish", false), "");
    DnsMessage answer;
    answer.response = true;
    EXPECT_EQ(answer_bytes(*zone_, *build_dns_message(answer), false), "");
}

}  // namespace
}  // namespace posthorn::sink
