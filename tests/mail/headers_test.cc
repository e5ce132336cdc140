#include "engine/mail/headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/random.h"
#include "tests/mail/decoders.h"

namespace posthorn {
namespace {

using testing_mail::lines_of;

std::string header(std::string_view name, std::string_view value) {
    std::string out;
    append_header(out, name, value);
    return out;
}

std::string to(std::string_view name, std::string_view address = "a@b.test") {
    std::string out;
    append_mailbox_header(out, "To", name, address);
    return out;
}

TEST(Header, PrintableTextStandsAsItIs) {
    EXPECT_EQ(header("Subject", "Hi Ann"), "Subject: Hi Ann\r\n");
    EXPECT_EQ(header("Subject", "  Hi \r\n"), "Subject: Hi\r\n");
    EXPECT_EQ(header("Subject", ""), "Subject: \r\n");
}

TEST(Header, WhatLooksLikeAnEncodedWordIsEncoded) {
    EXPECT_EQ(header("Subject", "=?UTF-8?Q?x?="), "Subject: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=\r\n");
}

TEST(Header, LinesFoldAtSpacesBefore78) {
    std::string value;
    for (int i = 0; i < 40; ++i) value += "word" + std::to_string(i) + (i % 5 == 0 ? "  " : " ");
    const std::string out = header("X-Long", value);
    std::string unfolded;
    for (const std::string& line : lines_of(out)) {
        EXPECT_LE(line.size(), 78u);
        EXPECT_NE(line.find_first_not_of(' '), std::string::npos);
        unfolded += line;
    }
    EXPECT_EQ(unfolded, "X-Long: " + value.substr(0, value.size() - 1));
}

TEST(Header, NoValueAddsALine) {
    Random random(4);
    for (int i = 0; i < 1000; ++i) {
        std::string value;
        for (std::size_t n = random.below(300); n > 0; --n)
            value += random.chance(0.3) ? static_cast<char>(random.below(256))
                                        : "\r\n :aB,<>\"=?"[random.below(12)];
        for (const std::string& out : {header("Subject", value), to(value)}) {
            ASSERT_TRUE(out.ends_with("\r\n"));
            const std::vector<std::string> lines = lines_of(out);
            for (std::size_t k = 0; k < lines.size(); ++k) {
                EXPECT_LE(lines[k].size(), 998u);
                EXPECT_EQ(lines[k].find_first_of(std::string_view("\r\n\0", 3)), std::string::npos);
                EXPECT_EQ(lines[k].starts_with(' '), k > 0);
                EXPECT_TRUE(k == 0 || lines[k].find_first_not_of(' ') != std::string::npos);
                for (char c : lines[k]) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
            }
        }
    }
}

TEST(Header, AWordTooLongToFoldIsEncoded) {
    for (const std::string& line : lines_of(header("Subject", std::string(5000, 'x'))))
        EXPECT_LE(line.size(), 76u);
}

TEST(Header, StructuredValuesFoldAndNeverEncode) {
    std::string out;
    append_structured_header(
        out, "List-Unsubscribe",
        "<https://u.acme.test/" + std::string(60, 'x') + ">, <mailto:u@b.test>");
    EXPECT_EQ(out, "List-Unsubscribe: <https://u.acme.test/" + std::string(60, 'x') +
                       ">,\r\n <mailto:u@b.test>\r\n");
    out.clear();
    append_structured_header(out, "X", "a\r\nb\xc3\xa9");
    EXPECT_EQ(out, "X: ab\r\n");
}

TEST(MailboxHeader, NamesAreAtomsQuotedOrEncoded) {
    EXPECT_EQ(to(""), "To: a@b.test\r\n");
    EXPECT_EQ(to("  "), "To: a@b.test\r\n");
    EXPECT_EQ(to("Ann Lee"), "To: Ann Lee <a@b.test>\r\n");
    EXPECT_EQ(to("Lee, Ann"), "To: \"Lee, Ann\" <a@b.test>\r\n");
    EXPECT_EQ(to("Ann  Lee"), "To: \"Ann  Lee\" <a@b.test>\r\n");
    EXPECT_EQ(to("A. \"B\" \\"), "To: \"A. \\\"B\\\" \\\\\" <a@b.test>\r\n");
    EXPECT_EQ(to("x@y.test>, <z@w.test"), "To: \"x@y.test>, <z@w.test\" <a@b.test>\r\n");
    EXPECT_EQ(to("Jürgen"), "To: =?UTF-8?Q?J=C3=BCrgen?= <a@b.test>\r\n");
    EXPECT_EQ(to("Ann\r\nBcc: c@d.test"),
              "To: =?UTF-8?B?QW5uICBCY2M6IGNAZC50ZXN0?= <a@b.test>\r\n");
}

TEST(MailboxHeader, LongNamesAndAddressesFold) {
    const std::string out = to(std::string(70, 'n'), std::string(64, 'l') + "@example.test");
    for (const std::string& line : lines_of(out)) EXPECT_LE(line.size(), 80u);
    EXPECT_TRUE(lines_of(to("", std::string(60, 'l') + "@" + std::string(60, 'd') + ".test"))[0]
                    .starts_with("To: l"));
}

TEST(MailboxHeader, SeveralAddressesAreSeparatedByCommas) {
    const std::vector<Address> list = {{"a", "b.test", "Ann", false}, {"c", "d.test", "", false}};
    std::string out;
    append_mailbox_header(out, "Reply-To", list);
    EXPECT_EQ(out, "Reply-To: Ann <a@b.test>, c@d.test\r\n");
}

TEST(HeaderName, IsPrintableAsciiWithoutAColon) {
    for (const char* good : {"X-Tag", "a", "X_1!"}) EXPECT_TRUE(valid_header_name(good));
    for (const char* bad : {"", "X Tag", "X:", "X\r\nY", "Ü"}) EXPECT_FALSE(valid_header_name(bad));
    EXPECT_FALSE(valid_header_name(std::string(77, 'x')));
}

TEST(Date, IsThatOfRfc5322) {
    const auto date = [](std::int64_t seconds) {
        std::string out;
        append_date(out, wall_from_micros(seconds * 1'000'000));
        return out;
    };
    EXPECT_EQ(date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
    EXPECT_EQ(date(1775113200), "Thu, 02 Apr 2026 07:00:00 +0000");
    EXPECT_EQ(date(951782399), "Mon, 28 Feb 2000 23:59:59 +0000");
    EXPECT_EQ(date(951782400), "Tue, 29 Feb 2000 00:00:00 +0000");
    EXPECT_EQ(date(4107542400), "Mon, 01 Mar 2100 00:00:00 +0000");
}

}  // namespace
}  // namespace posthorn
