#include "engine/net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/net/dns_server.h"

namespace posthorn {
namespace {

using testing::ElementsAre;

class ResolverTest : public testing::Test {
  protected:
    void start(ResolverOptions options = {}) {
        if (options.servers.empty()) options.servers = {server_.endpoint()};
        auto made = Resolver::create(loop_, std::move(options), Random(7));
        ASSERT_TRUE(made) << made.error().message;
        resolver_ = std::move(*made);
    }
    MailHosts lookup(const std::string& domain) {
        std::optional<MailHosts> result;
        EXPECT_TRUE(resolver_->lookup_mail_hosts(
            domain, [&](MailHosts hosts) { result = std::move(hosts); }));
        EXPECT_FALSE(result) << "answered within the call";
        while (!result) loop_.turn();
        return *result;
    }

    DnsServer server_;
    Loop loop_;
    std::unique_ptr<Resolver> resolver_;
};

ResolverOptions impatient() {
    ResolverOptions options;
    options.timeout = std::chrono::milliseconds(5);
    options.tries = 2;
    return options;
}

TEST_F(ResolverTest, FindsTheMxHostsOfADomainByPreference) {
    server_.add_mx("acme.test", 20, "MX2.acme.test");
    server_.add_mx("acme.test", 10, "mx1.acme.test");
    server_.add_a("mx1.acme.test", {192, 0, 2, 1});
    server_.add_a("mx2.acme.test", {192, 0, 2, 2});
    start();
    const MailHosts found = lookup("Acme.TEST.");
    EXPECT_EQ(found.verdict, DnsVerdict::kFound);
    ASSERT_EQ(found.hosts.size(), 2U);
    EXPECT_EQ(found.hosts[0].name, "mx1.acme.test");
    EXPECT_EQ(found.hosts[0].addresses[0].to_string(), "192.0.2.1");
    EXPECT_EQ(found.hosts[1].name, "mx2.acme.test");
    EXPECT_LE(found.ttl, std::chrono::seconds(300));
    EXPECT_GT(found.ttl, std::chrono::seconds(200));
}

TEST_F(ResolverTest, FollowsAliasesOfDomainsAndHosts) {
    server_.add("www.acme.test", dns::kCname, dns::NameTarget{"acme.test"});
    server_.add_mx("acme.test", 10, "mx.acme.test");
    server_.add("mx.acme.test", dns::kCname, dns::NameTarget{"a.host.test"});
    server_.add_a("a.host.test", {192, 0, 2, 7});
    start();
    const MailHosts found = lookup("www.acme.test");
    ASSERT_EQ(found.verdict, DnsVerdict::kFound);
    EXPECT_EQ(found.hosts[0].name, "mx.acme.test");
    EXPECT_EQ(found.hosts[0].addresses[0].to_string(), "192.0.2.7");
}

TEST_F(ResolverTest, TellsApartTheWaysOfHavingNoMail) {
    server_.add_mx("null.test", 0, "");
    server_.add("txt.test", dns::kTxt, dns::Text{{"v=spf1 ", "-all"}});
    server_.set_rcode("broken.test", dns::kServFail);
    server_.set_rcode("shut.test", dns::kRefused);
    server_.add("a.loop.test", dns::kCname, dns::NameTarget{"b.loop.test"});
    server_.add("b.loop.test", dns::kCname, dns::NameTarget{"a.loop.test"});
    start();
    EXPECT_EQ(lookup("null.test").verdict, DnsVerdict::kNullMx);
    EXPECT_EQ(lookup("gone.test").verdict, DnsVerdict::kNoDomain);
    EXPECT_EQ(lookup("txt.test").verdict, DnsVerdict::kNoAddress);
    EXPECT_EQ(lookup("broken.test").verdict, DnsVerdict::kTemporary);
    EXPECT_EQ(lookup("broken.test").detail, "SERVFAIL for MX of broken.test");
    EXPECT_EQ(lookup("shut.test").verdict, DnsVerdict::kTemporary);
    EXPECT_EQ(lookup("a.loop.test").verdict, DnsVerdict::kLoop);
    EXPECT_EQ(lookup(std::string(64, 'x') + ".test").verdict, DnsVerdict::kNoDomain);
}

TEST_F(ResolverTest, ASilentServerIsATemporaryFailure) {
    server_.keep_silent("silent.test");
    start(impatient());
    const MailHosts result = lookup("silent.test");
    EXPECT_EQ(result.verdict, DnsVerdict::kTemporary);
    EXPECT_EQ(result.detail, "no answer in time for MX of silent.test");
    EXPECT_EQ(server_.asked("silent.test", dns::kMx), 2);
    lookup("silent.test");
    EXPECT_EQ(server_.asked("silent.test", dns::kMx), 2) << "a failure is remembered for a while";
    resolver_->forget_all();
    lookup("silent.test");
    EXPECT_EQ(server_.asked("silent.test", dns::kMx), 4);
}

TEST_F(ResolverTest, AnUnreachableServerIsATemporaryFailure) {
    ResolverOptions options;
    {
        const DnsServer gone;
        options.servers = {gone.endpoint()};
    }
    start(options);
    EXPECT_EQ(lookup("acme.test").verdict, DnsVerdict::kTemporary);
}

TEST_F(ResolverTest, TheNextServerIsAskedWhenOneIsDown) {
    ResolverOptions options;
    {
        const DnsServer gone;
        options.servers = {gone.endpoint(), server_.endpoint()};
    }
    server_.add_a("acme.test", {192, 0, 2, 1});
    start(options);
    EXPECT_EQ(lookup("acme.test").verdict, DnsVerdict::kFound);
}

TEST_F(ResolverTest, TheNextServerIsAskedWhenOneFails) {
    DnsServer broken;
    broken.set_rcode("acme.test", dns::kServFail);
    server_.add_a("acme.test", {192, 0, 2, 1});
    ResolverOptions options;
    options.servers = {broken.endpoint(), server_.endpoint()};
    start(options);
    EXPECT_EQ(lookup("acme.test").verdict, DnsVerdict::kFound);
    EXPECT_GT(broken.asked("acme.test", dns::kMx), 0);
}

TEST_F(ResolverTest, ALongListComesOverTcpAndIsCut) {
    for (std::uint16_t i = 0; i < 900; ++i) {
        const std::string host = "mx" + std::to_string(i) + ".many.test";
        server_.add_mx("many.test", i, host);
        server_.add_a(host, {192, 0, 2, 1});
    }
    start();
    const MailHosts found = lookup("many.test");
    ASSERT_EQ(found.verdict, DnsVerdict::kFound);
    EXPECT_EQ(found.hosts.size(), 16U);
    EXPECT_EQ(found.hosts[15].name, "mx15.many.test");
    EXPECT_EQ(found.detail, "16 of 900 MX hosts");
    EXPECT_EQ(server_.asked_over_tcp(), 1);
}

TEST_F(ResolverTest, OneQuestionServesAllWhoAskIt) {
    server_.add_mx("acme.test", 10, "mx.acme.test");
    server_.add_a("mx.acme.test", {192, 0, 2, 1});
    start();
    int answers = 0;
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(resolver_->lookup_mail_hosts("acme.test", [&](MailHosts hosts) {
            EXPECT_EQ(hosts.verdict, DnsVerdict::kFound);
            ++answers;
        }));
    while (answers < 50) loop_.turn();
    EXPECT_EQ(server_.asked("acme.test", dns::kMx), 1);
    EXPECT_EQ(server_.asked("mx.acme.test", dns::kA), 1);
    lookup("acme.test");
    EXPECT_EQ(server_.asked("acme.test", dns::kMx), 1);
}

TEST_F(ResolverTest, AThousandDomainsAtOnceWithFewQuestionsOutstanding) {
    constexpr int kDomains = 1000;
    for (int i = 0; i < kDomains; ++i) {
        const std::string domain = "d" + std::to_string(i) + ".test";
        server_.add_mx(domain, 10, "mx." + domain);
        server_.add_a("mx." + domain, {192, 0, 2, static_cast<std::uint8_t>(i)});
    }
    ResolverOptions options;
    options.outstanding_max = 20;
    options.lookups_max = kDomains;
    start(options);
    int found = 0;
    for (int i = 0; i < kDomains; ++i)
        ASSERT_TRUE(resolver_->lookup_mail_hosts(
            "d" + std::to_string(i) + ".test",
            [&](MailHosts hosts) { found += hosts.verdict == DnsVerdict::kFound ? 1 : 0; }));
    EXPECT_FALSE(resolver_->lookup_mail_hosts("one.more.test", [](MailHosts) {}));
    std::size_t most = 0;
    while (found < kDomains) {
        most = std::max(most, resolver_->figures().outstanding);
        loop_.turn();
    }
    EXPECT_EQ(most, 20U);
    EXPECT_EQ(resolver_->figures().questions, 2U * kDomains);
}

TEST_F(ResolverTest, AsksForTextsToo) {
    server_.add("s._domainkey.test", dns::kTxt, dns::Text{{"v=DKIM1; ", "p=x"}});
    start();
    std::optional<DnsAnswer> answer;
    ASSERT_TRUE(resolver_->ask({"s._domainkey.test", dns::kTxt},
                               [&](const DnsAnswer& got) { answer = got; }));
    while (!answer) loop_.turn();
    EXPECT_THAT(answer->texts, ElementsAre("v=DKIM1; p=x"));
}

TEST_F(ResolverTest, AsksForTlsaRecordsOnlyWhereItsServersAreTrusted) {
    server_.add_mx("acme.test", 10, "mx.acme.test");
    server_.add_a("mx.acme.test", {192, 0, 2, 1});
    server_.add("_25._tcp.mx.acme.test", dns::kTlsa, dns::TlsAssociation{3, 1, 1, "digest"});
    server_.authenticate();
    start();
    EXPECT_TRUE(lookup("acme.test").hosts.at(0).tlsa.empty());
    EXPECT_EQ(server_.asked("_25._tcp.mx.acme.test", dns::kTlsa), 0);

    ResolverOptions options;
    options.trust = DnsTrust::kOnThisHost;
    start(options);
    const MailHosts found = lookup("acme.test");
    EXPECT_THAT(found.hosts.at(0).tlsa, ElementsAre(TlsaRecord{3, 1, 1, "digest"}));
    EXPECT_EQ(found.hosts[0].tlsa_base, "mx.acme.test");
}

TEST(Resolver, TrustsNoServerBeyondThisHostUnlessTold) {
    Loop loop;
    const auto trusts = [&](std::vector<std::string> servers, DnsTrust trust) {
        return (*DnsChannel::create(loop, servers, std::chrono::seconds(1), 1, trust))->trusted();
    };
    EXPECT_TRUE(trusts({"127.0.0.1:53", "[::1]:53"}, DnsTrust::kOnThisHost));
    EXPECT_FALSE(trusts({"127.0.0.1:53", "192.0.2.53"}, DnsTrust::kOnThisHost));
    EXPECT_FALSE(trusts({"2001:db8::1"}, DnsTrust::kOnThisHost));
    EXPECT_TRUE(trusts({"192.0.2.53"}, DnsTrust::kAlways));
    EXPECT_FALSE(trusts({"127.0.0.1"}, DnsTrust::kNever));
}

TEST_F(ResolverTest, MayBeDestroyedWithQuestionsOutstanding) {
    server_.keep_silent("silent.test");
    start();
    ASSERT_TRUE(resolver_->lookup_mail_hosts("silent.test", [](MailHosts) { FAIL(); }));
    loop_.post([] {});
    loop_.turn();
    resolver_.reset();
}

TEST(Resolver, RefusesServersThatAreNoAddresses) {
    Loop loop;
    ResolverOptions options;
    options.servers = {"ns.example"};
    const auto made = Resolver::create(loop, options, Random(1));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().message,
              "name server \"ns.example\" is no address; write 192.0.2.53 or 127.0.0.1:5300");
}

}  // namespace
}  // namespace posthorn
