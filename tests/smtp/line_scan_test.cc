#include "engine/smtp/line_scan.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/random.h"

namespace posthorn {
namespace {

TEST(LineScan, FindsTheFirstOddOctet) {
    EXPECT_EQ(find_odd_octet("", '\n'), 0u);
    EXPECT_EQ(find_odd_octet("a.b\r\nc\r\n", '\n'), 8u);
    EXPECT_EQ(find_odd_octet(".", '\n'), 0u);
    EXPECT_EQ(find_odd_octet(".", 'a'), 1u);
    EXPECT_EQ(find_odd_octet("a\r\n.b", '\n'), 3u);
    EXPECT_EQ(find_odd_octet("a\nb", '\n'), 1u);
    EXPECT_EQ(find_odd_octet("a\rb", '\n'), 2u);
    EXPECT_EQ(find_odd_octet("a\r\r\n", '\n'), 2u);
    EXPECT_EQ(find_odd_octet("\n", '\r'), 1u);
    EXPECT_EQ(find_odd_octet("a", '\r'), 0u);
    EXPECT_EQ(find_odd_octet("a\r", '\n'), 2u);
}

// Mostly plain text, so that the octets of interest fall on every place of a 64-octet step.
TEST(LineScan, AgreesWithTheSlowOneEverywhere) {
    Random random(7);
    const std::string_view pieces[] = {"\r\n", "\r\n.", "\r", "\n", ".", "\r\n\r\n"};
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        const std::size_t parts = random.below(6);
        for (std::size_t i = 0; i < parts; ++i) {
            text.append(random.below(90), 'x');
            text.append(pieces[random.below(random.chance(0.7) ? 1 : std::size(pieces))]);
        }
        text.append(random.below(130), 'x');
        const char before = "\r\nx"[random.below(3)];
        ASSERT_EQ(find_odd_octet(text, before), find_odd_octet_slowly(text, before));
    }
}

}  // namespace
}  // namespace posthorn
