// What a domain publishes of its hosts' TLS (RFC 8461): read, matched, kept.
#include "engine/delivery/sts_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr WallTime kNow{hours(490'000)};

TEST(StsPolicy, IsReadFromTheFileOfTheStandard) {
    const auto policy = parse_sts_policy(
        "version: STSv1\r\nmode: enforce\r\nmx: Mail.Example.com\r\nmx: *.example.net\r\n"
        "max_age: 604800\r\nfuture: thing\r\nmode: none\r\n");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->mode, StsMode::kEnforce);
    EXPECT_THAT(policy->mx, ElementsAre("mail.example.com", "*.example.net"));
    EXPECT_EQ(policy->max_age, seconds(604'800));
    EXPECT_TRUE(parse_sts_policy("version:STSv1\nmode:none\nmax_age:1"));
}

TEST(StsPolicy, SaysWhyAFileIsNone) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "version, mode or max_age is missing"},
        {"<html>not found</html>", "a line is no field"},
        {"version: STSv2\nmode: none\nmax_age: 1\n", "version is not STSv1"},
        {"version: STSv1\nmode: strict\nmax_age: 1\n", "mode is none of enforce, testing, none"},
        {"version: STSv1\nmode: enforce\nmax_age: soon\nmx: a.test\n",
         "max_age is no number of seconds"},
        {"version: STSv1\nmode: enforce\nmax_age: 1\n", "no mx"},
        {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: a..test\n", "an mx is no host name"},
        {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: *\n", "an mx is no host name"},
        {std::string(65 * 1024, '\n'), "longer than 64 KiB"}};
    for (const auto& [text, why] : cases) {
        const auto policy = parse_sts_policy(text);
        ASSERT_FALSE(policy) << text;
        EXPECT_EQ(policy.error().message, why);
    }
}

TEST(StsPolicy, AStarIsExactlyOneLabel) {
    const StsPolicy policy{StsMode::kEnforce, {"*.example.net", "mx.example.com"}, seconds(1)};
    EXPECT_TRUE(policy.covers("mx1.example.net"));
    EXPECT_TRUE(policy.covers("mx.example.com"));
    for (const char* host : {"a.b.example.net", "example.net", ".example.net", "mx2.example.com",
                             "mx1example.net", "", "net"})
        EXPECT_FALSE(policy.covers(host)) << host;
}

TEST(StsPolicy, HasOneRecordWithAnId) {
    EXPECT_EQ(parse_sts_record({"v=spf1 -all", "v=STSv1; id=20160831085700Z;"}), "20160831085700Z");
    EXPECT_EQ(parse_sts_record({"v=STSv1 ; a=b ;id=1"}), "1");
    for (const char* text : {"", "v=STSv1", "v=STSv1; id=", "v=STSv1; id=a-b;", " v=STSv1; id=1;",
                             "v=STSv2; id=1;", "v=STSv1; id=123456789012345678901234567890123;"})
        EXPECT_FALSE(parse_sts_record({text})) << text;
    EXPECT_FALSE(parse_sts_record({"v=STSv1; id=1;", "v=STSv1; id=2;"})) << "which of them?";
}

TEST(StsPolicy, IsKeptForItsAgeAndAcrossProcesses) {
    StsCache cache;
    const StsPolicy policy{StsMode::kTesting, {"*.a.test"}, hours(48)};
    const PutState recorded = cache.keep("a.test", policy, "id1", kNow);
    EXPECT_EQ(recorded.kind, kStsKind);
    EXPECT_EQ(recorded.key, "a.test");
    StsCache next;
    ASSERT_TRUE(next.restore("a.test", *recorded.value, kNow + hours(47)));
    const StsCache::Entry* entry = next.find("a.test", kNow + hours(47));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(*entry->policy, policy);
    EXPECT_EQ(entry->id, "id1");
    EXPECT_EQ(entry->fetched, kNow);
    EXPECT_EQ(next.find("a.test", kNow + hours(48)), nullptr);
    EXPECT_FALSE(StsCache().restore("a.test", *recorded.value, kNow + hours(48)));
    for (std::size_t size = 0; size < recorded.value->size(); ++size)
        EXPECT_FALSE(StsCache().restore("a.test", recorded.value->substr(0, size), kNow));
}

}  // namespace
}  // namespace posthorn
