#include "engine/net/dns_answer.h"

#include <gtest/gtest.h>

#include "engine/net/dns_message.h"

namespace posthorn {
namespace {

using Kind = DnsAnswer::Kind;
using std::chrono::seconds;

// An answer to A of d.test, to be filled.
DnsMessage answer_to_a(std::uint16_t rcode = dns::kNoError) {
    DnsMessage message;
    message.response = true;
    message.recursion_available = true;
    message.rcode = rcode;
    message.questions.push_back({"D.test", dns::kA});
    return message;
}

dns::Record a(const std::string& name, std::uint32_t ttl_s = 100) {
    return {name, dns::kA, dns::kClassIn, ttl_s, dns::Address4{{192, 0, 2, 1}}};
}
dns::Record cname(const std::string& name, const std::string& target, std::uint32_t ttl_s = 50) {
    return {name, dns::kCname, dns::kClassIn, ttl_s, dns::NameTarget{target}};
}
dns::Record soa(std::uint32_t ttl_s, std::uint32_t minimum_s) {
    return {"test", dns::kSoa, dns::kClassIn, ttl_s,
            dns::Authority{"ns.test", "root.test", 1, 1, 1, 1, minimum_s}};
}

DnsAnswer read(const DnsMessage& message) {
    return read_dns_answer({"d.test", dns::kA}, *build_dns_message(message));
}

TEST(DnsAnswer, TakesTheRecordsAtTheEndOfTheChainInWhateverOrder) {
    DnsMessage message = answer_to_a();
    message.answers = {a("C.test"), a("x.test"), cname("b.test", "c.test"),
                       cname("d.test", "B.test")};
    const DnsAnswer answer = read(message);
    EXPECT_EQ(answer.kind, Kind::kRecords);
    EXPECT_EQ(answer.addresses.size(), 1U);
    EXPECT_EQ(answer.ttl, seconds(50));
}

TEST(DnsAnswer, KeepsTlsaRecordsTheirOwnerAndTheServersWordThatTheyAreAuthentic) {
    DnsMessage message = answer_to_a();
    message.questions[0].type = dns::kTlsa;
    message.authentic = true;
    message.answers = {
        cname("d.test", "B.test"),
        {"b.test", dns::kTlsa, dns::kClassIn, 100, dns::TlsAssociation{3, 1, 1, "digest"}}};
    const DnsAnswer answer = read_dns_answer({"d.test", dns::kTlsa}, *build_dns_message(message));
    ASSERT_EQ(answer.tlsa.size(), 1U);
    EXPECT_EQ(answer.tlsa[0], (TlsaRecord{3, 1, 1, "digest"}));
    EXPECT_EQ(answer.owner, "b.test");
    EXPECT_TRUE(answer.authentic);
    EXPECT_FALSE(read(answer_to_a()).authentic);
}

TEST(DnsAnswer, AChainWithoutItsEndIsAnAlias) {
    DnsMessage message = answer_to_a();
    message.answers = {cname("d.test", "b.test"), cname("b.test", "c.test")};
    const DnsAnswer answer = read(message);
    EXPECT_EQ(answer.kind, Kind::kAlias);
    EXPECT_EQ(answer.alias, "c.test");
    message.authority = {soa(30, 900)};
    EXPECT_EQ(read(message).kind, Kind::kNoRecords);
    EXPECT_EQ(read(message).ttl, seconds(30));
}

TEST(DnsAnswer, WhatDoesNotExistHoldsAsLongAsItsAuthoritySays) {
    DnsMessage message = answer_to_a(dns::kNxDomain);
    message.authority = {soa(900, 60)};
    EXPECT_EQ(read(message).kind, Kind::kNoDomain);
    EXPECT_EQ(read(message).ttl, seconds(60));
    message.rcode = dns::kNoError;
    EXPECT_EQ(read(message).kind, Kind::kNoRecords);
    message.authority.clear();
    EXPECT_EQ(read(message).ttl, seconds(0));
}

TEST(DnsAnswer, ALoopOfAliasesIsOne) {
    DnsMessage message = answer_to_a();
    message.answers = {cname("d.test", "b.test"), cname("b.test", "d.test"), a("x.test")};
    EXPECT_EQ(read(message).kind, Kind::kLoop);
}

TEST(DnsAnswer, FailuresAndNonsenseAreTemporaryAndSayWhat) {
    EXPECT_EQ(read(answer_to_a(dns::kServFail)).detail, "SERVFAIL");
    EXPECT_EQ(read(answer_to_a(9)).detail, "rcode 9");
    DnsMessage message = answer_to_a();
    message.answers = {a("d.test")};
    message.response = false;
    EXPECT_EQ(read(message).detail, "an answer to another question");
    message.response = true;
    message.questions[0].name = "e.test";
    EXPECT_EQ(read(message).detail, "an answer to another question");
    EXPECT_EQ(read(message).kind, Kind::kTemporary);
    const DnsAnswer garbage = read_dns_answer({"d.test", dns::kA}, "garbage");
    EXPECT_EQ(garbage.kind, Kind::kTemporary);
    EXPECT_TRUE(garbage.detail.starts_with("a malformed answer: ")) << garbage.detail;
}

TEST(DnsAnswer, AReferralIsNotAnAnswer) {
    DnsMessage message = answer_to_a();
    message.authority = {
        {"test", dns::kNs, dns::kClassIn, 100, dns::NameTarget{"ns.elsewhere.test"}}};
    EXPECT_EQ(read(message).kind, Kind::kTemporary);
    message.authoritative = true;
    EXPECT_EQ(read(message).kind, Kind::kNoRecords);
}

TEST(DnsAnswer, ATtlWithTheTopBitSetIsZero) {
    DnsMessage message = answer_to_a();
    message.answers = {a("d.test", 0x80000000)};
    EXPECT_EQ(read(message).ttl, seconds(0));
}

}  // namespace
}  // namespace posthorn
