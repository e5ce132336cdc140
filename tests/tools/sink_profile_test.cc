#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/sink/profile.h"

namespace posthorn::sink {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view json) {
    const auto profile = parse_profile(json, "p.json");
    return profile ? "" : profile.error().message;
}

Entry entry_of(std::string_view json) {
    auto profile = parse_profile(json, "p.json");
    EXPECT_TRUE(profile.has_value()) << profile.error().message;
    return profile ? profile->entries.front() : Entry{};
}

TEST(SinkProfile, TheExampleOfTheDesignIsRead) {
    const Entry entry = entry_of(R"({ "domains": [   // first match wins
        { "match": "*.Slow.test", "provider": "p1", "mx": ["mx1.p1.test", "mx2.p1.test"],
          "dns": "ok", "offers": ["PIPELINING", "SIZE 10485760", "STARTTLS"], "tls": "selfsigned",
          "latency_ms": [50, 800],
          "replies": [ { "stage": "rcpt", "share": 0.03, "reply": "550 5.1.1 No such user" },
                       { "stage": "dot", "share": 0.01, "reply": "421 4.7.0 Later", "close": true } ],
          "greylist_s": 60,
          "limits": { "connections": 10, "messages_per_connection": 50, "rate": "20/s", "burst": 40,
                      "over": "421 4.7.28 unusual rate", "penalty_s": 30 },
          "changes": [ { "after_s": 120, "limits": { "rate": "5/s" } } ],
          "faults": [ { "kind": "reset", "stage": "body", "share": 0.001 } ] } ] })");
    EXPECT_EQ(entry.match, "*.slow.test");
    EXPECT_EQ(entry.mx.size(), 2u);
    EXPECT_EQ(entry.tls, TlsMode::kSelfSigned);
    EXPECT_EQ(entry.latency.high, std::chrono::milliseconds(800));
    ASSERT_EQ(entry.replies.size(), 2u);
    EXPECT_TRUE(entry.replies[0].sticky);
    EXPECT_FALSE(entry.replies[1].sticky);
    EXPECT_EQ(to_string(entry.replies[0].reply), "550 5.1.1 No such user");
    EXPECT_TRUE(entry.replies[1].close);
    EXPECT_EQ(entry.greylist, std::chrono::seconds(60));
    EXPECT_EQ(to_string(entry.limits.over), "421 4.7.28 unusual rate");
    ASSERT_EQ(entry.changes.size(), 1u);
    // A change alters what it names and leaves the rest.
    EXPECT_EQ(entry.changes[0].limits->rate->count, 5u);
    EXPECT_EQ(entry.changes[0].limits->connections, 10u);
    ASSERT_EQ(entry.faults.size(), 1u);
    EXPECT_EQ(entry.faults[0].place, Place::kBody);
}

TEST(SinkProfile, WhatMatchesNothingIsServedByAnEntryAtTheEnd) {
    const auto profile = parse_profile(R"({"domains":[]})", "p.json");
    ASSERT_TRUE(profile.has_value());
    ASSERT_EQ(profile->entries.size(), 1u);
    EXPECT_EQ(profile->entries.back().match, "*");
}

TEST(SinkProfile, RepliesOfSeveralLinesLoseTheirCodesAndKeepTheirLines) {
    const Entry entry = entry_of(R"({"domains":[{"match":"*","replies":[
        {"stage":"rcpt","reply":"550-5.1.1 one\n550-5.1.1 two\n550 5.1.1 three"}]}]})");
    EXPECT_EQ(entry.replies[0].reply.text, "one\ntwo\nthree");
    EXPECT_EQ(entry.replies[0].reply.enhanced, (EnhancedCode{5, 1, 1}));
}

TEST(SinkProfile, TlsAndTheOfferOfStarttlsGoTogether) {
    const Entry on = entry_of(R"({"domains":[{"match":"*","offers":[],"tls":"valid"}]})");
    EXPECT_EQ(on.offers, std::vector<std::string>{"STARTTLS"});
    const Entry off = entry_of(R"({"domains":[{"match":"*","offers":["STARTTLS"],"tls":"off"}]})");
    EXPECT_TRUE(off.offers.empty());
}

struct BadProfile {
    std::string_view json;
    std::string_view said;
};

class BadProfiles : public testing::TestWithParam<BadProfile> {};

TEST_P(BadProfiles, AreRefusedWithPlaceAndReason) {
    EXPECT_THAT(error_of(GetParam().json), HasSubstr(GetParam().said));
}

const BadProfile kBadProfiles[] = {
    {"{", "p.json:1:2: not JSON"},
    {"{\n \"domains\": [,] }", "p.json:2:14: not JSON"},
    {"[]", "must be an object"},
    {"{}", "/domains: is missing"},
    {R"({"domains":{}})", "/domains: must be a list of objects"},
    {R"({"domain":[],"domains":[]})", "p.json: /domain: unknown key; did you mean \"domains\"?"},
    {R"({"domains":[{"match":"*","latency":5}]})",
     "/domains/0/latency: unknown key; did you mean \"latency_ms\"?"},
    {R"({"domains":[{}]})", "/domains/0/match: is missing"},
    {R"({"domains":[{"match":"a*b"}]})", "/domains/0/match: a star stands alone"},
    {R"({"domains":[{"match":"*","dns":"nxdomian"}]})", "did you mean \"nxdomain\"?"},
    {R"({"domains":[{"match":"*","tls":7}]})", "/domains/0/tls: must be a string"},
    {R"({"domains":[{"match":"*","share":1.5}]})",
     "/domains/0/share: must be a number from 0 to 1"},
    {R"({"domains":[{"match":"*","mx":[]}]})", "/domains/0/mx: must name a host"},
    {R"({"domains":[{"match":"*","dead_mx":2}]})", "/domains/0/dead_mx: more than there are"},
    {R"({"domains":[{"match":"*","latency_ms":[5,1]}]})", "/domains/0/latency_ms: must be"},
    {R"({"domains":[{"match":"*","replies":[{"stage":"rcpt"}]}]})",
     "/domains/0/replies/0/reply: is missing"},
    {R"({"domains":[{"match":"*","replies":[{"stage":"rcpt","reply":"no"}]}]})",
     "must be an SMTP reply"},
    {R"({"domains":[{"match":"*","replies":[{"stage":"body","reply":"550 x"}]}]})",
     "no command is answered within the body"},
    {R"({"domains":[{"match":"*","replies":[{"stage":"dot","reply":"550 x","sticky":true}]}]})",
     "/domains/0/replies/0/sticky"},
    {R"({"domains":[{"match":"*","limits":{"rate":"fast"}}]})",
     "/domains/0/limits/rate: must be a rate"},
    {R"({"domains":[{"match":"*","limits":{"over":"250 ok"}}]})",
     "/domains/0/limits/over: must be a 4yz or 5yz"},
    {R"({"domains":[{"match":"*","limits":{"conections":1}}]})", "did you mean \"connections\"?"},
    {R"({"domains":[{"match":"*","faults":[{"kind":"explode","stage":"dot"}]}]})",
     "\"explode\" is none of: reset close"},
    {R"({"domains":[{"match":"*","changes":[{"after_s":9},{"after_s":1}]}]})",
     "changes are listed by time"},
};
INSTANTIATE_TEST_SUITE_P(All, BadProfiles, testing::ValuesIn(kBadProfiles));

TEST(SinkProfile, AllFaultsAreToldAtOnce) {
    const std::string error = error_of(R"({"domains":[{"match":"*","a":1},{"macth":"*"}]})");
    EXPECT_THAT(error, HasSubstr("/domains/0/a"));
    EXPECT_THAT(error, HasSubstr("/domains/1/macth"));
}

TEST(SinkProfile, EveryPresetIsRead) {
    EXPECT_THAT(preset_names(), testing::UnorderedElementsAre("perfect", "realistic", "hostile",
                                                              "gmail", "outlook", "yahoo"));
    for (const std::string_view name : preset_names()) {
        const auto profile = load_profile(std::string(name));
        EXPECT_TRUE(profile.has_value()) << profile.error().message;
    }
}

TEST(SinkProfile, AnUnknownPresetIsAnErrorWithTheNearestName) {
    const auto profile = load_profile("realstic");
    ASSERT_FALSE(profile.has_value());
    EXPECT_EQ(profile.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(profile.error().message, HasSubstr("did you mean realistic?"));
}

}  // namespace
}  // namespace posthorn::sink
