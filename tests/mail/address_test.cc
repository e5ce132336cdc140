#include "engine/mail/address.h"

#include <gtest/gtest.h>

#include <string>

namespace posthorn {
namespace {

AddressFault fault_of(std::string_view text) {
    Address address;
    return parse_mailbox(text, address);
}

std::string parsed(std::string_view text) {
    Address address;
    const AddressFault fault = parse_mailbox(text, address);
    if (fault != AddressFault::kNone) return "! " + std::string(reason(fault));
    return address.name.empty() ? address.to_string() : address.name + "|" + address.to_string();
}

TEST(Address, WhatIsGoodParsesToItsCanonicalForm) {
    const struct {
        std::string_view text, expected;
    } cases[] = {
        {"a@b.test", "a@b.test"},
        {"  a@b.test\t", "a@b.test"},
        {"Ann.Lee+tag@EXAMPLE.Test", "Ann.Lee+tag@example.test"},
        {"!#$%&'*+-/=?^_`{|}~@b.test", "!#$%&'*+-/=?^_`{|}~@b.test"},
        {"<a@b.test>", "a@b.test"},
        {"Ann <a@b.test>", "Ann|a@b.test"},
        {"Ann<a@b.test>", "Ann|a@b.test"},
        {"Ann  B.   Lee <a@b.test>", "Ann B. Lee|a@b.test"},
        {"\"Lee, Ann\" <a@b.test>", "Lee, Ann|a@b.test"},
        {"\"Ann \\\"The\\\" Lee\" <a@b.test>", "Ann \"The\" Lee|a@b.test"},
        {"\"<x@y.test>\" <a@b.test>", "<x@y.test>|a@b.test"},
        {"Ann (Sales) O'Neil <a@b.test>", "Ann (Sales) O'Neil|a@b.test"},
        {"a@b.test <a@b.test>", "a@b.test|a@b.test"},
        {"Grüße <a@b.test>", "Grüße|a@b.test"},
        {"\"a\"@b.test", "a@b.test"},
        {"\"a b\"@b.test", "\"a b\"@b.test"},
        {"\"a\\\"b\"@b.test", "\"a\\\"b\"@b.test"},
        {"\"a@b\"@b.test", "\"a@b\"@b.test"},
        {"\"a\\b\"@b.test", "ab@b.test"},
        {"\"\"@b.test", "\"\"@b.test"},
        {"\"a..b\"@b.test", "\"a..b\"@b.test"},
        {"a@Bücher.test", "a@xn--bcher-kva.test"},
        {"a@BÜCHER.test", "a@xn--bcher-kva.test"},
        {"a@bu\u0308cher.test", "a@xn--bcher-kva.test"},
        {"a@faß.test", "a@xn--fa-hia.test"},
        {"a@例え.test", "a@xn--r8jz45g.test"},
        {"a@XN--BCHER-KVA.test", "a@xn--bcher-kva.test"},
        {"a@1.2.3.test", "a@1.2.3.test"},
        {"jürgen@b.test", "jürgen@b.test"},
    };
    for (const auto& c : cases) EXPECT_EQ(parsed(c.text), c.expected) << c.text;
}

TEST(Address, WhatIsBadSaysWhy) {
    const struct {
        std::string_view text;
        AddressFault fault;
    } cases[] = {
        {"", AddressFault::kEmpty},
        {" \t", AddressFault::kEmpty},
        {"ann", AddressFault::kNoAt},
        {"ann lee", AddressFault::kNoAt},
        {"n/a", AddressFault::kNoAt},
        {"@b.test", AddressFault::kLocalEmpty},
        {"a@", AddressFault::kDomainEmpty},
        {".a@b.test", AddressFault::kLocalSyntax},
        {"a.@b.test", AddressFault::kLocalSyntax},
        {"a..b@b.test", AddressFault::kLocalSyntax},
        {"a b@b.test", AddressFault::kLocalSyntax},
        {"a\\b@b.test", AddressFault::kLocalSyntax},
        {"\"a@b.test", AddressFault::kLocalSyntax},
        {"\"a\"b@b.test", AddressFault::kNoAt},
        {"a@b@c.test", AddressFault::kDomainSyntax},
        {"a@b c.test", AddressFault::kDomainSyntax},
        {"a@b_c.test", AddressFault::kDomainSyntax},
        {"a@-b.test", AddressFault::kDomainSyntax},
        {"a@b-.test", AddressFault::kDomainSyntax},
        {"a@1.2.3.4", AddressFault::kDomainSyntax},
        {"a@b..test", AddressFault::kLabelEmpty},
        {"a@.b.test", AddressFault::kLabelEmpty},
        {"a@b.test.", AddressFault::kLabelEmpty},
        {"a@localhost", AddressFault::kDomainOneLabel},
        {"a@[192.0.2.1]", AddressFault::kDomainLiteral},
        {"a@[IPv6:::1]", AddressFault::kDomainLiteral},
        {"a(x)@b.test", AddressFault::kComment},
        {"(x)a@b.test", AddressFault::kComment},
        {"a@b.test, c@d.test", AddressFault::kDomainSyntax},
        {"a,b@c.test", AddressFault::kSeveral},
        {"Ann, Bob <a@b.test>", AddressFault::kSeveral},
        {"Friends: <a@b.test>", AddressFault::kName},
        {"Ann <a@b.test", AddressFault::kBrackets},
        {"Ann a@b.test>", AddressFault::kBrackets},
        {"<<a@b.test>>", AddressFault::kBrackets},
        {"< a@b.test>", AddressFault::kBrackets},
        {"<>", AddressFault::kEmpty},
        {"\"Ann <a@b.test>", AddressFault::kBrackets},
        {"<@c.test:a@b.test>", AddressFault::kLocalEmpty},
        {"a\r\nRCPT@b.test", AddressFault::kControl},
        {std::string_view("a\0@b.test", 9), AddressFault::kControl},
        {"a@b.te\nst", AddressFault::kControl},
        {"\"a\r\nb\"@b.test", AddressFault::kControl},
        {"Ann\r\nBcc: x <a@b.test>", AddressFault::kControl},
        {"\"Ann\nLee\" <a@b.test>", AddressFault::kControl},
        {"a\xff@b.test", AddressFault::kUtf8},
        {"a\xc0\xaf@b.test", AddressFault::kUtf8},
        {"a@b\xff.test", AddressFault::kUtf8},
        {"Ann \xff <a@b.test>", AddressFault::kUtf8},
        {"a\xc2\x85@b.test", AddressFault::kControl},
        {"a\xe2\x80\xa8@b.test", AddressFault::kControl},
        {"a@☃\u0300--.test", AddressFault::kDomainIdn},
    };
    for (const auto& c : cases)
        EXPECT_EQ(reason(fault_of(c.text)), reason(c.fault)) << testing::PrintToString(c.text);
}

TEST(Address, LengthsAreThoseOfTheStandards) {
    const std::string local64(64, 'a'), label63(63, 'b');
    EXPECT_EQ(fault_of(local64 + "@b.test"), AddressFault::kNone);
    EXPECT_EQ(fault_of(local64 + "a@b.test"), AddressFault::kLocalTooLong);
    EXPECT_EQ(fault_of("a@" + label63 + ".test"), AddressFault::kNone);
    EXPECT_EQ(fault_of("a@" + label63 + "b.test"), AddressFault::kLabelTooLong);
    const std::string domain =
        label63 + "." + label63 + "." + label63 + "." + std::string(56, 'c') + ".com";
    ASSERT_EQ(domain.size(), 252u);
    EXPECT_EQ(fault_of("a@" + domain), AddressFault::kNone);
    EXPECT_EQ(fault_of("ab@" + domain), AddressFault::kTooLong);
    EXPECT_EQ(fault_of("a@" + domain + "mm"), AddressFault::kDomainTooLong);
    EXPECT_EQ(fault_of("a@" + std::string(5000, 'b')), AddressFault::kTooLong);
    EXPECT_EQ(fault_of(std::string(3000, '"') + "<a@b.test>"), AddressFault::kTooLong);
    std::string international = "a@";
    for (int i = 0; i < 70; ++i) international += "ü";
    EXPECT_EQ(fault_of(international + ".test"), AddressFault::kLabelTooLong);
}

TEST(Address, OnlyALocalPartBeyondAsciiNeedsSmtputf8) {
    Address address;
    ASSERT_EQ(parse_address("jürgen@bücher.test", address), AddressFault::kNone);
    EXPECT_TRUE(address.smtputf8);
    ASSERT_EQ(parse_address("a@bücher.test", address), AddressFault::kNone);
    EXPECT_FALSE(address.smtputf8);
    EXPECT_EQ(address.domain, "xn--bcher-kva.test");
    EXPECT_EQ(unicode_domain(address.domain), "bücher.test");
    EXPECT_EQ(unicode_domain("plain.test"), "plain.test");
}

TEST(Address, WhatWasParsedParsesAgainToTheSame) {
    for (std::string_view text : {"a@b.test", "\"a b\"@b.test", "\"a\\\\b\"@b.test", "ü@ü.test"}) {
        Address once, twice;
        ASSERT_EQ(parse_address(text, once), AddressFault::kNone) << text;
        ASSERT_EQ(parse_address(once.to_string(), twice), AddressFault::kNone) << text;
        EXPECT_EQ(once, twice);
    }
}

TEST(Address, AnErrorQuotesTheInput) {
    const Result<Address> result = parse_mailbox("ann");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "'ann' is not an address: no @ after the local part");
}

}  // namespace
}  // namespace posthorn
