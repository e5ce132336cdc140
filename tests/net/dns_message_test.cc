#include "engine/net/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace posthorn {
namespace {

DnsMessage full_message() {
    DnsMessage message;
    message.id = 0xbeef;
    message.response = true;
    message.authoritative = true;
    message.recursion_desired = true;
    message.recursion_available = true;
    message.authentic = true;
    message.questions = {{"Example.test", dns::kMx, dns::kClassIn}};
    message.answers = {
        {"Example.test", dns::kMx, 1, 300, dns::MailExchange{10, "mx1.example.test"}},
        {"Example.test", dns::kMx, 1, 300, dns::MailExchange{0, ""}},
        {"a.test", dns::kCname, 1, 60, dns::NameTarget{"b.test"}},
        {"5.4.3.127.in-addr.arpa", dns::kPtr, 1, 60, dns::NameTarget{"mx1.example.test"}},
        {"example.test", dns::kTxt, 1, 1, dns::Text{{"v=spf1 -all", "", std::string(255, 'x')}}},
        {"_25._tcp.mx1.example.test", dns::kTlsa, 1, 1,
         dns::TlsAssociation{3, 1, 1, std::string("\0\1\2", 3)}},
        {"odd\\.label.\\000\\255.test", 99, 1, 1, dns::Raw{"abc"}},
    };
    message.authority = {
        {"test", dns::kSoa, 1, 60, dns::Authority{"ns.test", "hostmaster.test", 1, 2, 3, 4, 5}}};
    message.additional = {
        {"mx1.example.test", dns::kA, 1, 300, dns::Address4{{127, 1, 2, 3}}},
        {"mx1.example.test", dns::kAaaa, 1, 300, dns::Address6{{0x20, 1, 0xd, 0xb8}}},
    };
    message.edns = dns::Edns{1400, 0, true};
    return message;
}

std::string built(const DnsMessage& message, std::size_t bytes_max = dns::kMessageBytesMax) {
    auto bytes = build_dns_message(message, bytes_max);
    EXPECT_TRUE(bytes.has_value());
    return bytes ? *bytes : "";
}

std::string header(std::string_view counts) {
    return std::string("\x12\x34\x81\x80", 4) + std::string(counts);
}

std::string error_of(const std::string& bytes) {
    const auto parsed = parse_dns_message(bytes);
    return parsed ? "" : parsed.error().message;
}

TEST(DnsMessage, WhatIsBuiltIsParsedBackWithEverySectionAndType) {
    const DnsMessage message = full_message();
    const auto parsed = parse_dns_message(built(message));
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(*parsed, message);
}

TEST(DnsMessage, NamesAreCompressed) {
    DnsMessage message;
    message.questions = {{"a.long.name.test", dns::kA, 1}};
    message.answers = {{"a.long.name.test", dns::kA, 1, 1, dns::Address4{}},
                       {"b.long.name.test", dns::kA, 1, 1, dns::Address4{}}};
    EXPECT_EQ(built(message).size(), 12u + 18 + 4 + (2 + 14) + (4 + 14));
}

TEST(DnsMessage, ARealAnswerIsRead) {
    const std::string bytes = header(std::string("\0\1\0\1\0\0\0\0", 8)) +
                              std::string("\3abc\4test\0\0\17\0\1", 14) +
                              std::string("\300\14\0\17\0\1\0\0\1\54\0\11\0\12\4mail\300\14", 21);
    const auto parsed = parse_dns_message(bytes);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->id, 0x1234);
    ASSERT_EQ(parsed->answers.size(), 1u);
    EXPECT_EQ(parsed->answers[0].ttl_s, 300u);
    EXPECT_EQ(std::get<dns::MailExchange>(parsed->answers[0].value),
              (dns::MailExchange{10, "mail.abc.test"}));
}

TEST(DnsMessage, TheExtendedResponseCodeIsPutTogether) {
    DnsMessage message;
    message.rcode = 16;  // BADVERS
    message.edns.emplace();
    const auto parsed = parse_dns_message(built(message));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->rcode, 16);
}

TEST(DnsMessage, WhatDoesNotFitIsLeftOutAsWholeRecordsAndSaidSo) {
    DnsMessage message;
    message.questions = {{"big.test", dns::kTxt, 1}};
    for (int i = 0; i < 5; ++i)
        message.answers.push_back(
            {"big.test", dns::kTxt, 1, 1, dns::Text{{std::string(200, 'x')}}});
    message.edns.emplace();
    const std::string bytes = built(message, 512);
    EXPECT_LE(bytes.size(), 512u);
    const auto parsed = parse_dns_message(bytes);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_TRUE(parsed->truncated);
    EXPECT_EQ(parsed->answers.size(), 2u);
    EXPECT_TRUE(parsed->edns.has_value());
}

TEST(DnsMessage, PointersThatLoopOrLeadForwardsAreRefused) {
    const std::string question = header(std::string("\0\1\0\0\0\0\0\0", 8));
    const std::string type = std::string("\0\1\0\1", 4);
    EXPECT_THAT(error_of(question + "\300\14" + type), testing::HasSubstr("points forwards"));
    EXPECT_THAT(error_of(question + "\300\20" + type), testing::HasSubstr("points forwards"));
    EXPECT_THAT(error_of(question + "\1a\300\14" + type), testing::HasSubstr("points forwards"));
}

TEST(DnsMessage, LabelsOfUnknownKindAndOverlongNamesAreRefused) {
    const std::string question = header(std::string("\0\1\0\0\0\0\0\0", 8));
    EXPECT_THAT(error_of(question + "\100a"), testing::HasSubstr("unknown kind"));
    std::string name;
    for (int i = 0; i < 5; ++i) name += '\77' + std::string(63, 'a');
    EXPECT_THAT(error_of(question + name + std::string("\0\0\1\0\1", 5)),
                testing::HasSubstr("more than 255"));
}

TEST(DnsMessage, RecordDataMustHaveItsExactLength) {
    const std::string answer = header(std::string("\0\0\0\1\0\0\0\0", 8));
    const auto with = [&](std::string_view rdata) {
        std::string bytes = answer + std::string("\0\0\1\0\1\0\0\0\1\0", 10);
        bytes += static_cast<char>(rdata.size());
        return bytes + std::string(rdata);
    };
    EXPECT_EQ(error_of(with("\1\2\3\4")), "");
    EXPECT_THAT(error_of(with("\1\2\3\4\5")), testing::HasSubstr("wrong length"));
    EXPECT_NE(error_of(with("\1\2\3")), "");
}

TEST(DnsMessage, CountsBeyondTheBoundAndTrailingOctetsAreRefused) {
    EXPECT_THAT(error_of(header(std::string("\0\0\377\377\0\0\0\0", 8))),
                testing::HasSubstr("1000"));
    EXPECT_THAT(error_of(header(std::string(8, '\0')) + "x"), testing::HasSubstr("follows"));
}

TEST(DnsMessage, NamesThatDnsCannotCarryAreRefused) {
    for (const std::string& name :
         {std::string("a..b"), std::string(".a"), std::string("a."), std::string(64, 'a') + ".test",
          std::string("a\\"), std::string("a\\999"), std::string("a\\1")}) {
        DnsMessage message;
        message.questions = {{name, dns::kA, 1}};
        EXPECT_FALSE(build_dns_message(message).has_value()) << name;
    }
}

TEST(DnsMessage, EveryTruncationAndManyMutationsAreReadOrRefusedWithoutHarm) {
    const std::string bytes = built(full_message());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_dns_message(bytes.substr(0, size)).has_value()) << size;
    Random random(1);
    for (int round = 0; round < 3000; ++round) {
        std::string mutated = bytes;
        for (int i = 0; i < 3; ++i)
            mutated[random.below(mutated.size())] = static_cast<char>(random.below(256));
        const auto parsed = parse_dns_message(mutated);
        EXPECT_TRUE(parsed.has_value() || parsed.error().kind == ErrorKind::kCorrupt);
    }
}

}  // namespace
}  // namespace posthorn
