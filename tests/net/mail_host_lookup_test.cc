// Long because the tables of what may come out of a lookup, with and without proof, use the same
// small zone.
#include "engine/net/mail_host_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/net/dns_cache.h"
#include "engine/net/dns_message.h"

namespace posthorn {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

using Zone = std::map<DnsQuestion, DnsAnswer>;

DnsAnswer of_kind(DnsAnswer::Kind kind, Duration ttl = seconds(100)) {
    DnsAnswer answer;
    answer.kind = kind;
    answer.ttl = ttl;
    return answer;
}
DnsAnswer none() { return of_kind(DnsAnswer::Kind::kNoRecords); }
DnsAnswer no_domain() { return of_kind(DnsAnswer::Kind::kNoDomain); }
DnsAnswer loop() { return of_kind(DnsAnswer::Kind::kLoop); }
DnsAnswer servfail() {
    DnsAnswer answer = of_kind(DnsAnswer::Kind::kTemporary);
    answer.detail = "SERVFAIL";
    return answer;
}
DnsAnswer alias(std::string to) {
    DnsAnswer answer = of_kind(DnsAnswer::Kind::kAlias);
    answer.alias = std::move(to);
    return answer;
}
DnsAnswer mx(std::vector<MxRecord> records) {
    DnsAnswer answer = of_kind(DnsAnswer::Kind::kRecords);
    answer.mx = std::move(records);
    return answer;
}
DnsAnswer ip(std::vector<const char*> addresses, Duration ttl = seconds(100)) {
    DnsAnswer answer = of_kind(DnsAnswer::Kind::kRecords, ttl);
    for (const char* text : addresses) answer.addresses.push_back(*IpAddress::parse(text));
    return answer;
}

constexpr std::uint16_t kMx = dns::kMx, kA = dns::kA, kAaaa = dns::kAaaa;

DnsAnswer authentic(DnsAnswer answer, std::string owner = "") {
    answer.authentic = true;
    answer.owner = std::move(owner);
    return answer;
}
DnsAnswer tlsa(std::uint8_t usage) {
    DnsAnswer answer = of_kind(DnsAnswer::Kind::kRecords);
    answer.tlsa.push_back({usage, 1, 1, "digest"});
    return answer;
}

MailHosts follow(MailHostLookup lookup, const Zone& zone, std::uint64_t seed);

MailHosts look_up(const Zone& zone, bool ipv6 = false, std::uint64_t seed = 1, bool dane = false) {
    return follow({"d.test", ipv6, {}, dane}, zone, seed);
}

MailHosts follow(MailHostLookup lookup, const Zone& zone, std::uint64_t seed) {
    int questions = 0;
    while (!lookup.done()) {
        const std::vector<DnsQuestion> asked = lookup.take_questions();
        EXPECT_FALSE(asked.empty()) << "neither done nor a question";
        if (asked.empty() || ++questions > 100) break;
        for (const DnsQuestion& question : asked) {
            const auto found = zone.find(question);
            lookup.answered(question, found == zone.end() ? none() : found->second);
        }
    }
    Random random(seed);
    return lookup.verdict(random);
}

// "a.test/10=192.0.2.1,192.0.2.2 b.test/20=..."
std::string text_of(const MailHosts& hosts) {
    std::string text;
    for (const MailHost& host : hosts.hosts) {
        text += (text.empty() ? "" : " ") + host.name + "/" + std::to_string(host.preference) + "=";
        for (std::size_t i = 0; i < host.addresses.size(); ++i)
            text += (i == 0 ? "" : ",") + host.addresses[i].to_string();
    }
    return text;
}

TEST(MailHostLookup, DecidesByTheTable) {
    struct Case {
        const char* name;
        Zone zone;
        bool ipv6;
        DnsVerdict verdict;
        const char* hosts;
        const char* detail;
    };
    const std::vector<MxRecord> two{{20, "b.test"}, {10, "a.test"}};
    const Case cases[] = {
        {"MX by preference",
         {{{"d.test", kMx}, mx(two)},
          {{"a.test", kA}, ip({"192.0.2.1"})},
          {{"b.test", kA}, ip({"192.0.2.3", "192.0.2.2", "192.0.2.2"})}},
         false,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1 b.test/20=192.0.2.2,192.0.2.3",
         "2 of 2 MX hosts"},
        {"without MX the domain itself",
         {{{"d.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kFound,
         "d.test/0=192.0.2.1",
         "no MX: the domain's own address"},
        {"without MX the domain itself, by IPv6",
         {{{"d.test", kAaaa}, ip({"2606::1"})}},
         true,
         DnsVerdict::kFound,
         "d.test/0=2606::1",
         "no MX: the domain's own address"},
        {"both families, when there is a source of both",
         {{{"d.test", kMx}, mx({{10, "a.test"}})},
          {{"a.test", kA}, ip({"192.0.2.1"})},
          {{"a.test", kAaaa}, ip({"2606::1"})}},
         true,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1,2606::1",
         "1 of 1 MX hosts"},
        {"IPv6 alone and no source of it: not the domain's fault",
         {{{"d.test", kMx}, mx({{10, "a.test"}})}, {{"a.test", kAaaa}, ip({"2606::1"})}},
         false,
         DnsVerdict::kTemporary,
         "",
         "a.test has IPv6 addresses alone, and there is no source of that family"},
        {"no such domain",
         {{{"d.test", kMx}, no_domain()}},
         false,
         DnsVerdict::kNoDomain,
         "",
         "NXDOMAIN for d.test"},
        {"no MX, and no such domain for A",
         {{{"d.test", kA}, no_domain()}},
         false,
         DnsVerdict::kNoDomain,
         "",
         "NXDOMAIN for d.test"},
        {"neither MX nor address",
         {},
         false,
         DnsVerdict::kNoAddress,
         "",
         "d.test has neither MX nor address records"},
        {"null MX",
         {{{"d.test", kMx}, mx({{0, ""}})}},
         false,
         DnsVerdict::kNullMx,
         "",
         "d.test says that it takes no mail (null MX)"},
        {"the root among others is no host",
         {{{"d.test", kMx}, mx({{0, ""}, {10, "a.test"}})}, {{"a.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1",
         "1 of 1 MX hosts"},
        {"null MX is no reason to use the domain's address",
         {{{"d.test", kMx}, mx({{0, ""}})}, {{"d.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kNullMx,
         "",
         "d.test says that it takes no mail (null MX)"},
        {"MX hosts without address are no reason to use the domain's (RFC 5321 section 5.1)",
         {{{"d.test", kMx}, mx(two)}, {{"d.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kNoAddress,
         "",
         "no MX host of d.test has an address"},
        {"a failing MX query is no reason to use the domain's address",
         {{{"d.test", kMx}, servfail()}, {{"d.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kTemporary,
         "",
         "SERVFAIL for MX of d.test"},
        {"a host without address is left out",
         {{{"d.test", kMx}, mx(two)},
          {{"a.test", kA}, no_domain()},
          {{"b.test", kA}, ip({"192.0.2.2"})}},
         false,
         DnsVerdict::kFound,
         "b.test/20=192.0.2.2",
         "1 of 2 MX hosts"},
        {"a host whose lookup fails is left out, and it is said",
         {{{"d.test", kMx}, mx(two)},
          {{"a.test", kA}, servfail()},
          {{"b.test", kA}, ip({"192.0.2.2"})}},
         false,
         DnsVerdict::kFound,
         "b.test/20=192.0.2.2",
         "1 of 2 MX hosts; SERVFAIL for A of a.test"},
        {"one host fails for now, the other has no address: it may yet be found",
         {{{"d.test", kMx}, mx(two)}, {{"a.test", kA}, loop()}, {{"b.test", kA}, servfail()}},
         false,
         DnsVerdict::kTemporary,
         "",
         "SERVFAIL for A of b.test"},
        {"a loop of the domain",
         {{{"d.test", kMx}, loop()}},
         false,
         DnsVerdict::kLoop,
         "",
         "the aliases of d.test never end"},
        {"a loop over several answers",
         {{{"d.test", kMx}, alias("e.test")}, {{"e.test", kMx}, alias("d.test")}},
         false,
         DnsVerdict::kLoop,
         "",
         "the aliases of d.test never end"},
        {"an alias of the domain is followed",
         {{{"d.test", kMx}, alias("e.test")},
          {{"e.test", kMx}, mx({{10, "a.test"}})},
          {{"a.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1",
         "1 of 1 MX hosts"},
        {"an MX that is an alias is tolerated and keeps its name",
         {{{"d.test", kMx}, mx(two)},
          {{"a.test", kA}, alias("c.test")},
          {{"b.test", kA}, alias("c.test")},
          {{"c.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1 b.test/20=192.0.2.1",
         "2 of 2 MX hosts"},
        {"a host named twice counts by its better preference",
         {{{"d.test", kMx}, mx({{20, "a.test"}, {10, "a.test"}})},
          {{"a.test", kA}, ip({"192.0.2.1"})}},
         false,
         DnsVerdict::kFound,
         "a.test/10=192.0.2.1",
         "1 of 1 MX hosts"},
    };
    for (const Case& row : cases) {
        const MailHosts result = look_up(row.zone, row.ipv6);
        EXPECT_EQ(name_of(result.verdict), name_of(row.verdict)) << row.name;
        EXPECT_EQ(text_of(result), row.hosts) << row.name;
        EXPECT_EQ(result.detail, row.detail) << row.name;
    }
}

// RFC 7672 section 2.2: everything on the way to the records is authenticated, or they do not
// count.
TEST(MailHostLookup, TakesTlsaRecordsByTheTable) {
    const DnsAnswer two = mx({{10, "a.test"}, {20, "b.test"}});
    const DnsAnswer address = authentic(ip({"192.0.2.1"}), "a.test");
    const DnsAnswer elsewhere = authentic(ip({"192.0.2.1"}), "c.test");
    const DnsQuestion asked_mx{"d.test", kMx}, asked_a{"a.test", kA}, asked_b{"b.test", kA};
    const DnsQuestion records{"_25._tcp.a.test", dns::kTlsa};
    const DnsQuestion at_end{"_25._tcp.c.test", dns::kTlsa};
    const Zone::value_type other{asked_b, ip({"192.0.2.2"})};
    struct Case {
        const char* name;
        Zone zone;
        const char* hosts;  // host[base] where there are records
        bool failed;
    };
    const Case cases[] = {
        {"all authenticated",
         {{asked_mx, authentic(two)}, {asked_a, address}, other, {records, authentic(tlsa(3))}},
         "a.test[a.test] b.test",
         false},
        {"MX is not",
         {{asked_mx, two}, {asked_a, address}, other, {records, authentic(tlsa(3))}},
         "a.test b.test",
         false},
        {"the address is not",
         {{asked_mx, authentic(two)},
          {asked_a, ip({"192.0.2.1"})},
          other,
          {records, authentic(tlsa(3))}},
         "a.test b.test",
         false},
        {"the records are not",
         {{asked_mx, authentic(two)}, {asked_a, address}, other, {records, tlsa(3)}},
         "a.test b.test",
         false},
        {"there are none, proved or not",
         {{asked_mx, authentic(two)}, {asked_a, address}, other},
         "a.test b.test",
         false},
        {"they may be kept from us: that host is left out",
         {{asked_mx, authentic(two)}, {asked_a, address}, other, {records, servfail()}},
         "b.test",
         true},
        {"at the end of the host's aliases",
         {{asked_mx, authentic(two)},
          {asked_a, elsewhere},
          other,
          {at_end, authentic(tlsa(3))},
          {records, authentic(tlsa(2))}},
         "a.test[c.test] b.test",
         false},
        {"at the host's own name, where the end has none",
         {{asked_mx, authentic(two)}, {asked_a, elsewhere}, other, {records, authentic(tlsa(2))}},
         "a.test[a.test] b.test",
         false},
        {"of a domain that is its own host",
         {{asked_mx, authentic(none())},
          {{"d.test", kA}, authentic(ip({"192.0.2.1"}), "d.test")},
          {{"_25._tcp.d.test", dns::kTlsa}, authentic(tlsa(3))}},
         "d.test[d.test]",
         false},
        {"behind an alias that is not authenticated",
         {{asked_mx, authentic(two)},
          {asked_a, address},
          other,
          {records, alias("t.test")},
          {{"t.test", dns::kTlsa}, authentic(tlsa(3))}},
         "a.test b.test",
         false},
    };
    for (const Case& row : cases) {
        const MailHosts result = look_up(row.zone, false, 1, true);
        std::string text;
        for (const MailHost& host : result.hosts) {
            text += (text.empty() ? "" : " ") + host.name;
            if (!host.tlsa.empty()) text += "[" + host.tlsa_base + "]";
        }
        EXPECT_EQ(text, row.hosts) << row.name;
        EXPECT_EQ(result.tlsa_failed, row.failed) << row.name;
    }
}

TEST(MailHostLookup, DefersADomainWhoseOnlyHostsTlsaRecordsCannotBeHad) {
    const MailHosts result = look_up({{{"d.test", kMx}, authentic(mx({{10, "a.test"}}))},
                                      {{"a.test", kA}, authentic(ip({"192.0.2.1"}), "a.test")},
                                      {{"_25._tcp.a.test", dns::kTlsa}, servfail()}},
                                     false, 1, true);
    EXPECT_EQ(result.verdict, DnsVerdict::kTemporary);
    EXPECT_EQ(result.detail, "SERVFAIL for TLSA of _25._tcp.a.test");
}

TEST(MailHostLookup, AsksForTheAddressesOfAllHostsAtOnce) {
    MailHostLookup lookup("d.test", true);
    EXPECT_THAT(lookup.take_questions(), ElementsAre(DnsQuestion{"d.test", kMx}));
    EXPECT_THAT(lookup.take_questions(), IsEmpty());
    lookup.answered({"d.test", kMx}, mx({{10, "b.test"}, {10, "a.test"}}));
    EXPECT_THAT(lookup.take_questions(),
                ElementsAre(DnsQuestion{"a.test", kA}, DnsQuestion{"b.test", kA},
                            DnsQuestion{"a.test", kAaaa}, DnsQuestion{"b.test", kAaaa}));
}

TEST(MailHostLookup, IgnoresAnswersThatNobodyWaitsFor) {
    MailHostLookup lookup("d.test", false);
    lookup.answered({"e.test", kMx}, no_domain());
    lookup.answered({"d.test", kA}, no_domain());
    EXPECT_FALSE(lookup.done());
    lookup.answered({"d.test", kMx}, mx({{10, "a.test"}}));
    lookup.answered({"d.test", kMx}, no_domain());
    lookup.answered({"a.test", kA}, ip({"192.0.2.1"}));
    Random random(1);
    EXPECT_EQ(lookup.verdict(random).verdict, DnsVerdict::kFound);
}

TEST(MailHostLookup, CutsAThousandHostsToTheBestAndTheSameEveryTime) {
    Zone zone;
    std::vector<MxRecord> records;
    for (int i = 999; i >= 0; --i) {
        const std::string name = "mx" + std::to_string(1000 + i) + ".test";
        records.push_back({10, name});
        zone[{name, kA}] = ip({"192.0.2.1"});
    }
    zone[{"d.test", kMx}] = mx(records);
    std::set<std::string> names;
    for (const std::uint64_t seed : {1U, 2U}) {
        const MailHosts result = look_up(zone, false, seed);
        ASSERT_EQ(result.hosts.size(), 16U);
        for (const MailHost& host : result.hosts) names.insert(host.name);
    }
    EXPECT_EQ(names.size(), 16U);
    EXPECT_TRUE(names.contains("mx1000.test"));
}

TEST(MailHostLookup, ShufflesHostsOfEqualPreferenceAndNoOthers) {
    Zone zone{
        {{"d.test", kMx}, mx({{10, "a.test"}, {10, "b.test"}, {10, "c.test"}, {5, "z.test"}})}};
    for (const char* name : {"a.test", "b.test", "c.test", "z.test"})
        zone[{name, kA}] = ip({"192.0.2.1"});
    std::set<std::string> orders;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const MailHosts result = look_up(zone, false, seed);
        EXPECT_EQ(result.hosts.front().name, "z.test");
        orders.insert(text_of(result));
    }
    EXPECT_EQ(orders.size(), 6U);
}

TEST(MailHostLookup, HoldsAsLongAsItsShortestAnswer) {
    Zone zone{{{"d.test", kMx}, mx({{10, "a.test"}, {20, "b.test"}})},
              {{"a.test", kA}, ip({"192.0.2.1"}, seconds(70))},
              {{"b.test", kA}, ip({"192.0.2.2"}, seconds(90))}};
    const MailHosts result = look_up(zone);
    EXPECT_EQ(result.ttl, seconds(70));
    EXPECT_EQ(result.hosts[0].ttl, seconds(70));
    EXPECT_EQ(result.hosts[1].ttl, seconds(90));
    zone[{"b.test", kA}] = servfail();
    EXPECT_EQ(look_up(zone).ttl, seconds(60)) << "a failure is looked at again soon";
}

TEST(DnsCache, GivesAnswersForWhatIsLeftOfTheirTtl) {
    DnsCache cache(10);
    const Instant start{};
    cache.put({"d.test", kA}, ip({"192.0.2.1"}, seconds(100)), start);
    EXPECT_EQ(cache.find({"d.test", kAaaa}, start), nullptr);
    const auto later = cache.find({"d.test", kA}, start + seconds(40));
    ASSERT_NE(later, nullptr);
    EXPECT_EQ(later->ttl, seconds(60));
    EXPECT_EQ(cache.find({"d.test", kA}, start + seconds(100)), nullptr);
    EXPECT_EQ(cache.size(), 0U);
}

TEST(DnsCache, ForgetsTheLeastRecentlyUsedWhenFull) {
    DnsCache cache(2);
    const Instant now{};
    cache.put({"a.test", kA}, ip({"192.0.2.1"}), now);
    cache.put({"b.test", kA}, ip({"192.0.2.2"}), now);
    EXPECT_NE(cache.find({"a.test", kA}, now), nullptr);
    cache.put({"c.test", kA}, ip({"192.0.2.3"}), now);
    cache.put({"c.test", kA}, ip({"192.0.2.4"}), now);
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_NE(cache.find({"a.test", kA}, now), nullptr);
    EXPECT_EQ(cache.find({"b.test", kA}, now), nullptr);
    EXPECT_EQ(cache.find({"c.test", kA}, now)->addresses[0].to_string(), "192.0.2.4");
}

TEST(MailHostLookup, OfAGivenHostOnlyItsAddressesAreAsked) {
    const Zone zone = {{{"relay.test", kMx}, mx({{10, "elsewhere.test"}})},
                       {{"relay.test", kA}, alias("r.test")},
                       {{"r.test", kA}, ip({"192.0.2.1", "192.0.2.2"}, seconds(30))}};
    const MailHosts found = follow(MailHostLookup::of_host("relay.test", false), zone, 1);
    ASSERT_EQ(found.verdict, DnsVerdict::kFound) << found.detail;
    ASSERT_EQ(found.hosts.size(), 1u);
    EXPECT_EQ(found.hosts[0].name, "relay.test");
    EXPECT_EQ(found.hosts[0].addresses.size(), 2u);
    const MailHosts none =
        follow(MailHostLookup::of_host("gone.test", false), {{{"gone.test", kA}, no_domain()}}, 1);
    EXPECT_EQ(none.verdict, DnsVerdict::kNoDomain);
}

}  // namespace
}  // namespace posthorn
