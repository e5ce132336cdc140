// The shaping file, and the one that is shipped.
#include "engine/server/config_shaping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ShapingFile, IsReadWhole) {
    const LoadedShaping loaded = read_shaping(R"({ "providers": [ // as posthorn.json
        { "name": "big", "limits_per": "site", "mx": ["*.Big.test", "mx.other.test"],
          "domains": ["bücher.test"], "connections": 5, "messages_per_connection": 20,
          "messages": ["20/s", "5000/h"], "new_connections": ["30/m"], "source": "x", "date": "y" } ] })");
    ASSERT_TRUE(loaded.errors.empty()) << to_text(loaded.errors, "shaping.json");
    ASSERT_EQ(loaded.shaping.rules.size(), 1u);
    const ProviderRule& rule = loaded.shaping.rules.front();
    EXPECT_EQ(rule.name, "big");
    EXPECT_TRUE(rule.per_site);
    EXPECT_THAT(rule.mx, ElementsAre("*.big.test", "mx.other.test"));
    EXPECT_THAT(rule.domains, ElementsAre("xn--bcher-kva.test"));
    EXPECT_EQ(rule.connections_max, 5u);
    EXPECT_EQ(rule.messages_per_session, 20u);
    EXPECT_THAT(rule.message_rates, ElementsAre(Rate{20, seconds(1)}, Rate{5000, hours(1)}));
    EXPECT_THAT(rule.connection_rates, ElementsAre(Rate{30, minutes(1)}));
}

TEST(ShapingFile, FaultsAreToldWithTheirPlace) {
    const std::pair<const char*, const char*> table[] = {
        {"[]", "must be an object"},
        {"{", "json_syntax"},
        {R"({"provider":[]})", "did you mean 'providers'"},
        {R"({"providers":[5]})", "must be an object"},
        {R"({"providers":[{"mx":["a.test"]}]})", "needs a name"},
        {R"({"providers":[{"name":"a b","mx":["a.test"]}]})", "needs a name"},
        {R"({"providers":[{"name":"a"}]})", "which sites"},
        {R"({"providers":[{"name":"a","mx":["a..test"]}]})", "is not a host name"},
        {R"({"providers":[{"name":"a","mx":["a*.test"]}]})", "is not a host name"},
        {R"({"providers":[{"name":"a","domains":["*.a.test"]}]})", "is not a host name"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"messages":["fast"]}]})", "is not a rate"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"messages":["0/s"]}]})", "is not a rate"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"messages":["1/s","2/s"]}]})", "same time"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"connections":0}]})", "range"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"limits_per":"host"}]})", "enum"},
        {R"({"providers":[{"name":"a","mx":["a.test"]},{"name":"a","mx":["b.test"]}]})",
         "two providers"},
        {R"({"providers":[{"name":"a","mx":["a.test"],"rate":"1/s"}]})", "unknown_field"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_THAT(to_text(read_shaping(text).errors, "shaping.json"), HasSubstr(expected))
            << text;
    EXPECT_THAT(to_text(read_shaping("{\n  \"x\": 1 }").errors, "s.json"),
                HasSubstr("s.json:2:3:"));
}

std::string shipped() {
    std::ifstream file(POSTHORN_SHAPING_FILE);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ShapingFile, TheShippedOneKnowsTheLargeProviders) {
    const LoadedShaping loaded = read_shaping(shipped());
    ASSERT_TRUE(loaded.errors.empty()) << to_text(loaded.errors, "shaping.json");
    const struct {
        const char* host;
        const char* domain;
        const char* provider;
    } table[] = {
        {"gmail-smtp-in.l.google.com", "gmail.com", "google"},
        {"aspmx.l.google.com", "a.test", "google"},
        {"aspmx2.googlemail.com", "a.test", "google"},
        {"mta5.am0.yahoodns.net", "yahoo.com", "yahoo"},
        {"mx1.mail.yahoo.co.jp", "yahoo.co.jp", "yahoo-japan"},
        {"outlook-com.olc.protection.outlook.com", "outlook.com", "outlook"},
        {"acme-test.mail.protection.outlook.com", "acme.test", "office365"},
        {"acme-test.a-v1.mx.microsoft", "acme.test", "office365-dane"},
        {"mx01.mail.icloud.com", "icloud.com", "apple"},
        {"mx1a1.comcast.net", "comcast.net", "comcast"},
        {"eu-smtp-inbound-1.mimecast.com", "a.test", "mimecast"},
        {"mx00.mail.com", "mail.com", "mail.com"},
        {"smtp-in.orange.fr", "wanadoo.fr", "orange"},
        {"mx00.gmx.net", "gmx.de", "gmx-webde"},
        {"mx-ha02.web.de", "web.de", "gmx-webde"},
        {"d1.ess.barracudanetworks.com", "a.test", "barracuda"},
        {"mx1.netvigator.com", "netvigator.com", "netvigator"},
        {"mx.kpnmail.nl", "kpnmail.nl", "kpn"},
        {"mx1.qq.com", "qq.com", "qq"},
        {"163mx01.mxmail.netease.com", "163.com", "netease"},
    };
    std::set<std::string> met;
    for (const auto& [host, domain, provider] : table) {
        const ProviderRule* rule = loaded.shaping.find({host}, domain);
        ASSERT_NE(rule, nullptr) << host;
        EXPECT_EQ(rule->name, provider) << host;
        met.insert(rule->name);
    }
    EXPECT_EQ(met.size(), loaded.shaping.rules.size()) << "a rule without a sample";
    EXPECT_EQ(loaded.shaping.find({"mx.a.test"}, "a.test"), nullptr);
}

TEST(ShapingFile, EachShippedRuleLimitsSomethingAndNamesItsSource) {
    const auto file = nlohmann::json::parse(shipped(), nullptr, true, true);
    for (const auto& provider : file["providers"]) {
        EXPECT_FALSE(provider.value("source", "").empty()) << provider;
        EXPECT_EQ(provider.value("date", "").size(), 10u) << provider;
        EXPECT_TRUE(provider.contains("connections") || provider.contains("messages") ||
                    provider.contains("messages_per_connection"))
            << provider;
    }
}

}  // namespace
}  // namespace posthorn
