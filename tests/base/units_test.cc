#include "engine/base/units.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Units, DurationsAreANumberAndOneUnit) {
    EXPECT_EQ(parse_duration("90s"), Duration(seconds(90)));
    EXPECT_EQ(parse_duration("250ms"), Duration(milliseconds(250)));
    EXPECT_EQ(parse_duration("2d"), Duration(hours(48)));
    for (const char* wrong :
         {"", "s", "90", "-1s", "1 s", "1.5h", "1h30m", "90S", "99999999999999999999s", "4000d"})
        EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

TEST(Units, RatesAreACountPerWindow) {
    EXPECT_EQ(parse_rate("500/s"), (Rate{500, seconds(1)}));
    EXPECT_EQ(parse_rate("1/d"), (Rate{1, hours(24)}));
    for (const char* wrong : {"", "500", "500/sec", "0/s", "/s", "5/ms", "5 /s", "2000000000/s"})
        EXPECT_EQ(parse_rate(wrong), std::nullopt) << wrong;
}

TEST(Units, WhatIsPrintedParsesAgain) {
    for (const char* text : {"90s", "10m", "4h", "2d", "250ms"})
        EXPECT_EQ(to_string(*parse_duration(text)), text);
    for (const char* text : {"20/s", "1/m", "7/h", "9/d"})
        EXPECT_EQ(to_string(*parse_rate(text)), text);
}

TEST(Units, TimesAreRfc3339) {
    const auto time = parse_rfc3339("2026-04-02T09:00:00.25+02:00");
    ASSERT_TRUE(time);
    EXPECT_EQ(rfc3339(*time), "2026-04-02T07:00:00.250000Z");
    for (const char* wrong :
         {"", "2026-04-02", "2026-02-30T00:00:00Z", "2026-04-02T24:00:00Z", "2026-04-02T09:00:00",
          "2026-04-02T09:00:00.Z", "2026-04-02T09:00:00Zx"})
        EXPECT_EQ(parse_rfc3339(wrong), std::nullopt) << wrong;
}

TEST(Units, SeparatorsStandEveryThreeDigits) {
    EXPECT_EQ(with_separators(0), "0");
    EXPECT_EQ(with_separators(999), "999");
    EXPECT_EQ(with_separators(1234567), "1,234,567");
}

}  // namespace
}  // namespace posthorn
