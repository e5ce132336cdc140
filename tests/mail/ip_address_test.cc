#include "engine/mail/ip_address.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(IpAddress, IsReadAndWrittenAsTextOfEitherFamily) {
    for (const char* text : {"192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "::ffff:192.0.2.1"}) {
        const auto ip = IpAddress::parse(text);
        ASSERT_TRUE(ip) << text;
        EXPECT_EQ(ip->to_string(), text);
    }
    EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
    using namespace std::string_view_literals;
    for (const std::string_view text :
         {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "01.2.3.4"sv, "1.2.3.4 "sv, "[::1]"sv,
          "fe80::1%eth0"sv, "1.2.3.4\0"sv, "mx.example"sv,
          "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, SortsIpv4First) {
    EXPECT_LT(*IpAddress::parse("255.255.255.255"), *IpAddress::parse("::"));
    EXPECT_LT(*IpAddress::parse("9.0.0.0"), *IpAddress::parse("10.0.0.0"));
    EXPECT_NE(*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"));
}

TEST(IpAddress, KnowsWhereNoPublicMailGoes) {
    for (const char* text : {"0.0.0.0",
                             "0.1.2.3",
                             "10.0.0.1",
                             "100.64.0.1",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.0.1",
                             "169.254.1.1",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.1",
                             "192.0.2.1",
                             "192.88.99.1",
                             "192.168.1.1",
                             "198.18.0.1",
                             "198.19.255.255",
                             "198.51.100.1",
                             "203.0.113.1",
                             "224.0.0.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:8.8.8.8",
                             "::8.8.8.8",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b:1::8.8.8.8",
                             "100::1",
                             "2001::1",
                             "2001:1ff:ffff::1",
                             "2001:db8::1",
                             "2002:808:808::1",
                             "3fff::1",
                             "3fff:fff::1",
                             "fc00::1",
                             "fd00::1",
                             "fe80::1",
                             "fec0::1",
                             "ff02::1",
                             "4000::1",
                             "5f00::1"})
        EXPECT_TRUE(is_special_address(*IpAddress::parse(text))) << text;
    for (const char* text :
         {"1.1.1.1",      "9.255.255.255",   "11.0.0.0",     "100.63.255.255", "100.128.0.0",
          "126.1.1.1",    "128.0.0.1",       "172.15.0.1",   "172.32.0.1",     "192.0.1.1",
          "192.0.3.1",    "192.167.1.1",     "198.17.0.1",   "198.20.0.1",     "223.255.255.255",
          "2001:200::1",  "2001:4860::1",    "2606:4700::1", "2003::1",        "3ffe::1",
          "3fff:1000::1", "64:ff9b::8.8.8.8"})
        EXPECT_FALSE(is_special_address(*IpAddress::parse(text))) << text;
}

}  // namespace
}  // namespace posthorn
