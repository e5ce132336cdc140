// What sessions are asked of TLS, by what DNS and the domain's policy say (RFC 7672, RFC 8461).
#include <gtest/gtest.h>

#include "engine/delivery/scheduler.h"
#include "engine/delivery/tls_results.h"
#include "tests/delivery/scheduler_world.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

std::shared_ptr<const StsPolicy> policy_of(StsMode mode, std::vector<std::string> mx) {
    return std::make_shared<const StsPolicy>(StsPolicy{mode, std::move(mx), hours(24)});
}

struct Asked {
    TlsMode mode = TlsMode::kOff;
    std::size_t tlsa = 0;
    bool any = false;
};

// What the first session to a.test was asked, within some minutes.
Asked asked(std::vector<TlsaRecord> tlsa, std::shared_ptr<const StsPolicy> sts,
            TlsMode mode = TlsMode::kOpportunistic) {
    DeliveryLimits limits;
    limits.tls = mode;
    SchedulerWorld world(limits, 1);
    world.add_campaign(1);
    world.add_lane(1, "a.test", 10);
    world.mood("a.test").tlsa = std::move(tlsa);
    world.mood("a.test").sts = std::move(sts);
    world.begin();
    world.run_for(minutes(5));
    if (world.tls_asked("a.test").empty()) {
        const auto view = world.scheduler().explain("a.test", world.now());
        EXPECT_NE(view->verdict.find("its MTA-STS policy names"), std::string::npos);
        return {};
    }
    const auto policy = world.tls_asked("a.test").front();
    if (policy == nullptr) return {TlsMode::kOff, 0, true};
    EXPECT_EQ(policy->server_name, "mx.a.test");
    return {policy->mode, policy->tlsa.size(), true};
}

TEST(SchedulerTls, AsksOfAHostWhatDnsAndPolicySayOfIt) {
    const std::vector<TlsaRecord> tlsa{{3, 1, 1, "digest"}};
    const auto own = policy_of(StsMode::kEnforce, {"mx.a.test"});
    const auto foreign = policy_of(StsMode::kEnforce, {"mx.b.test"});
    const auto testing = policy_of(StsMode::kTesting, {"mx.b.test"});
    struct Case {
        const char* name;
        Asked answer, expected;
    };
    const Case cases[] = {
        {"nothing", asked({}, nullptr), {TlsMode::kOpportunistic, 0, true}},
        {"enforced", asked({}, own), {TlsMode::kVerify, 0, true}},
        {"another's host", asked({}, foreign), {TlsMode::kOff, 0, false}},
        {"another's host, only tested", asked({}, testing), {TlsMode::kOpportunistic, 0, true}},
        {"mode none", asked({}, policy_of(StsMode::kNone, {})), {TlsMode::kOpportunistic, 0, true}},
        {"DANE", asked(tlsa, nullptr), {TlsMode::kVerify, 1, true}},
        {"DANE comes first", asked(tlsa, foreign), {TlsMode::kVerify, 1, true}},
        {"the operator wants none", asked(tlsa, own, TlsMode::kOff), {TlsMode::kOff, 0, true}}};
    for (const Case& row : cases) {
        EXPECT_EQ(row.answer.any, row.expected.any) << row.name;
        EXPECT_EQ(name_of(row.answer.mode), name_of(row.expected.mode)) << row.name;
        EXPECT_EQ(row.answer.tlsa, row.expected.tlsa) << row.name;
    }
}

TEST(SchedulerTls, DomainsOfOneHostDoNotShareSessionsWhereOnlyOneOfThemDemandsProof) {
    SchedulerWorld world({}, 1);
    world.add_campaign(1);
    for (const char* domain : {"free.test", "bound.test"}) {
        world.add_lane(1, domain, 10);
        world.mood(domain).host = "mx.shared.test";
    }
    world.mood("bound.test").sts = policy_of(StsMode::kEnforce, {"mx.shared.test"});
    world.begin();
    world.run_until_finished(hours(1));
    std::set<TlsMode> modes;
    for (const auto& policy : world.tls_asked("shared.test")) modes.insert(policy->mode);
    EXPECT_EQ(modes, (std::set{TlsMode::kOpportunistic, TlsMode::kVerify}));
    EXPECT_EQ(world.deliveries(1), 20U);
}

}  // namespace
}  // namespace posthorn
