// How TLS fared, by day and domain (RFC 8460).
#include "engine/delivery/tls_results.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr auto kSts = TlsPolicyType::kSts;
constexpr auto kSuccess = TlsResult::kSuccess;
constexpr auto kExpired = TlsResult::kCertificateExpired;

Now at(Duration since) {
    return {Instant(since), WallTime(std::chrono::days(20'000)) + since};  // 2024-10-04
}

std::uint64_t of(const TlsCounts& counts, TlsResult result) {
    return counts[static_cast<std::size_t>(result)];
}

TEST(TlsResults, AreRecordedSomeSecondsAfterTheFirstAndKnownToTheNextProcess) {
    TlsResults results;
    EXPECT_FALSE(results.due());
    results.count("a.test", kSts, kSuccess, at(seconds(1)));
    results.count("a.test", kSts, kSuccess, at(seconds(4)));
    results.count("a.test", kSts, kExpired, at(seconds(4)));
    EXPECT_EQ(results.due(), Instant(seconds(6)));
    const auto changes = results.take_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].kind, kTlsResultsKind);
    EXPECT_EQ(changes[0].key, "2024-10-04/sts/a.test");
    EXPECT_FALSE(results.due());
    EXPECT_TRUE(results.take_changes().empty());

    TlsResults next;
    ASSERT_TRUE(next.restore(changes[0].key, *changes[0].value, at(hours(2)).wall));
    next.count("a.test", kSts, kSuccess, at(hours(2)));
    const TlsCounts counts = next.of_today("a.test", kSts, at(hours(2)).wall);
    EXPECT_EQ(of(counts, kSuccess), 3U);
    EXPECT_EQ(of(counts, kExpired), 1U);
}

TEST(TlsResults, EachDayBeginsAtNought) {
    TlsResults results;
    results.count("a.test", kSts, kSuccess, at(seconds(1)));
    results.count("a.test", kSts, kSuccess, at(hours(25)));  // the first day is not recorded yet
    EXPECT_EQ(results.take_changes().size(), 2U);
    results.count("b.test", kSts, kSuccess, at(hours(49)));
    const auto changes = results.take_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].key, "2024-10-06/sts/b.test");
}

TEST(TlsResults, AreKeptForAMonth) {
    TlsResults results;
    results.count("a.test", kSts, kSuccess, at(seconds(1)));
    const PutState change = results.take_changes().at(0);
    EXPECT_TRUE(TlsResults().restore(change.key, *change.value, at(hours(24 * 29)).wall));
    EXPECT_FALSE(TlsResults().restore(change.key, *change.value, at(hours(24 * 32)).wall));
    EXPECT_FALSE(TlsResults().restore(change.key, "", at(seconds(1)).wall));
    EXPECT_FALSE(TlsResults().restore("yesterday/sts/a.test", *change.value, at(seconds(1)).wall));
}

TEST(TlsResults, HaveTheNamesOfTheStandardInTheirKeys) {
    for (const auto policy : {TlsPolicyType::kNone, TlsPolicyType::kSts, TlsPolicyType::kTlsa}) {
        const TlsResultsKey key{"2026-04-02", policy, "a.test"};
        EXPECT_EQ(parse_tls_results_key(to_string(key)), key);
    }
    EXPECT_EQ(to_string({"2026-04-02", TlsPolicyType::kNone, "a.test"}),
              "2026-04-02/no-policy-found/a.test");
}

}  // namespace
}  // namespace posthorn
