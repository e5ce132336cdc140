// posthorn.json: what it accepts, and what is said of each fault and where.
#include "engine/server/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/server/json_tree.h"

namespace posthorn {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Config, AnEmptyObjectGivesTheDefaults) {
    const LoadedConfig loaded = read_config("{}");
    EXPECT_TRUE(loaded.errors.empty());
    EXPECT_EQ(loaded.config.limits.port, 25);
    EXPECT_EQ(loaded.config.limits.connections_max, 10'000u);
    EXPECT_EQ(loaded.config.durability, Durability::kPower);
    EXPECT_DOUBLE_EQ(loaded.config.min_free_disk_percent, 5);
}

TEST(Config, EveryKeyIsCarriedOver) {
    const LoadedConfig loaded = read_config(R"(// how we deliver
      { "ehlo": "MTA1.Acme.test", /* twice */
        "dns": { "servers": ["127.0.0.1:5300", "[::1]:53", "192.0.2.53"], "confirm_after": "2h",
                 "retry": "1s" },
        "smtp": { "port": 2525, "allow_private_addresses": true },
        "tls": { "mode": "verify", "ca_file": "ca.pem", "dane": false },
        "sources": [ { "name": "a", "address": "192.0.2.10", "ehlo": "a.acme.test" },
                     { "name": "b", "address": "2001:db8::1" } ],
        "bounce_domain": "b.acme.test", "shaping": "s.json", "connections": 77, "durability": "process",
        "min_free_disk": "2.5%", "senders": 3,
        "limits": { "site_retry": "1s", "site_retry_max": "5s", "site_connections_max": 8,
                    "messages_per_session": 9 } })");
    EXPECT_EQ(to_text(loaded.errors, "posthorn.json"), "");
    const Config& config = loaded.config;
    EXPECT_EQ(config.ehlo, "mta1.acme.test");
    EXPECT_EQ(config.dns_servers.size(), 3u);
    EXPECT_EQ(config.limits.dns_confirm_after, hours(2));
    EXPECT_EQ(config.limits.dns_retry_first, seconds(1));
    EXPECT_EQ(config.limits.port, 2525);
    EXPECT_TRUE(config.limits.allow_private_addresses);
    EXPECT_EQ(config.limits.tls, TlsMode::kVerify);
    EXPECT_EQ(config.dns_trust, DnsTrust::kNever);
    EXPECT_EQ(config.ca_file, "ca.pem");
    ASSERT_EQ(config.sources.size(), 2u);
    EXPECT_EQ(config.sources[0].address->to_string(), "192.0.2.10");
    EXPECT_EQ(config.sources[0].ehlo, "a.acme.test");
    EXPECT_TRUE(config.sources[1].address->is_v6());
    EXPECT_EQ(config.bounce_domain, "b.acme.test");
    EXPECT_EQ(config.shaping_file, "s.json");
    EXPECT_EQ(config.limits.connections_max, 77u);
    EXPECT_EQ(config.durability, Durability::kProcess);
    EXPECT_DOUBLE_EQ(config.min_free_disk_percent, 2.5);
    EXPECT_EQ(config.senders, 3u);
    EXPECT_EQ(config.limits.site_retry_first, seconds(1));
    EXPECT_EQ(config.limits.site_retry_max, seconds(5));
    EXPECT_EQ(config.limits.site_connections_max, 8u);
    EXPECT_EQ(config.limits.messages_per_session_max, 9u);
}

struct BadConfig {
    const char* text;
    const char* path;
    const char* code;
    std::uint32_t line, column;
};

TEST(Config, EachFaultIsNamedWithItsPlace) {
    const BadConfig table[] = {
        {"", "", "json_syntax", 1, 1},
        {"[]", "", "type", 1, 1},
        {"{\"ehlo\": 5}", "/ehlo", "type", 1, 10},
        {"{\"ehlo\": \"mta\"}", "/ehlo", "bad_address", 1, 10},
        {"{\n  \"smtp\": {\"prot\": 25}}", "/smtp/prot", "unknown_field", 2, 12},
        {"{\"smtp\": {\"port\": 0}}", "/smtp/port", "range", 1, 19},
        {"{\"smtp\": {\"port\": 65536}}", "/smtp/port", "range", 1, 19},
        {"{\"smtp\": {\"port\": 2.5}}", "/smtp/port", "range", 1, 19},
        {"{\"connections\": -1}", "/connections", "range", 1, 17},
        {"{\"tls\": {\"mode\": \"perhaps\"}}", "/tls/mode", "enum", 1, 18},
        {"{\"durability\": \"paper\"}", "/durability", "enum", 1, 16},
        {"{\"min_free_disk\": \"5\"}", "/min_free_disk", "range", 1, 19},
        {"{\"min_free_disk\": \"70%\"}", "/min_free_disk", "range", 1, 19},
        {"{\"routes\": {}}", "/routes", "unsupported", 1, 2},
        {"{\"retention\": {}}", "/retention", "unsupported", 1, 2},
        {"{\"dns\": {\"servers\": [\"localhost\"]}}", "/dns/servers", "bad_address", 1, 22},
        {"{\"dns\": {\"servers\": [\"127.0.0.1:0\"]}}", "/dns/servers", "bad_address", 1, 22},
        {"{\"dns\": {\"confirm_after\": \"1 hour\"}}", "/dns/confirm_after", "bad_duration", 1, 27},
        {"{\"sources\": [{\"address\": \"192.0.2.1\"}]}", "/sources/0/name", "required", 1, 14},
        {"{\"sources\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "/sources/1/name", "conflict", 1,
         38},
        {"{\"sources\": [{\"name\": \"a\", \"address\": \"host\"}]}", "/sources/0/address",
         "bad_address", 1, 39},
        {"{\"limits\": {\"site_retry\": \"0s\"}}", "/limits/site_retry", "range", 1, 27},
        {"{\"ehlo\": \"a.test\", \"ehlo\": \"b.test\"}", "", "json_syntax", 1, 20},
        {"{\"senders\": 1,}", "", "json_syntax", 1, 15},
    };
    for (const BadConfig& bad : table) {
        const LoadedConfig loaded = read_config(bad.text);
        ASSERT_EQ(loaded.errors.size(), 1u) << bad.text;
        EXPECT_EQ(loaded.errors[0].path, bad.path) << bad.text;
        EXPECT_EQ(loaded.errors[0].code, bad.code) << bad.text;
        EXPECT_EQ(loaded.errors[0].line, bad.line) << bad.text;
        EXPECT_EQ(loaded.errors[0].column, bad.column) << bad.text;
    }
}

TEST(Config, AllFaultsAreReportedAtOnceInTheirOrder) {
    const LoadedConfig loaded =
        read_config("{ \"conections\": 5,\n  \"smtp\": { \"port\": \"x\" },\n  \"zzzzzz\": 1 }");
    EXPECT_EQ(to_text(loaded.errors, "posthorn.json"),
              "posthorn.json:1:3: error unknown_field: 'conections' is not a key of this file\n"
              "    did you mean 'connections'?\n"
              "posthorn.json:2:21: error type: 'port' must be a number, not a string\n"
              "posthorn.json:3:3: error unknown_field: 'zzzzzz' is not a key of this file\n");
}

TEST(Config, WithoutANameToGreetWithNothingStarts) {
    Config config;
    const Status nameless = config.complete("", 2);
    ASSERT_FALSE(nameless.has_value());
    EXPECT_EQ(nameless.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(nameless.error().message.find("\"ehlo\""), std::string::npos);
}

TEST(Config, TheHostsNameAndOneSourceAreTheDefaults) {
    Config config;
    ASSERT_TRUE(config.complete("mta.acme.test", 2).has_value());
    EXPECT_EQ(config.senders, 1u);
    ASSERT_EQ(config.sources.size(), 1u);
    EXPECT_EQ(config.sources[0].name, "default");
    EXPECT_EQ(config.sources[0].ehlo, "mta.acme.test");
}

TEST(JsonTree, ReadsStringsWithEscapesAndCountsColumnsInCharacters) {
    const auto parsed = parse_json_tree("[\"\\u00e4\\ud83d\\ude00\\n\", \"ä\", 1]");
    const JsonTree* tree = std::get_if<JsonTree>(&parsed);
    ASSERT_NE(tree, nullptr);
    EXPECT_EQ(tree->items[0].text, "\xC3\xA4\xF0\x9F\x98\x80\n");
    EXPECT_EQ(tree->items[2].place.column, 31u);
}

TEST(JsonTree, RefusesWhatIsNotJson) {
    for (const char* text : {"{", "{\"a\"}", "{\"a\":}", "[1 2]", "01", "1.", "-", "\"a", "\"\\x\"",
                             "\"\\ud800\"", "tru", "{} {}", "/* open", "[1,]", "nul", "\"\x01\""})
        EXPECT_TRUE(std::holds_alternative<JsonTreeFault>(parse_json_tree(text))) << text;
    const std::string deep(20, '[');
    EXPECT_TRUE(std::holds_alternative<JsonTreeFault>(parse_json_tree(deep)));
}

}  // namespace
}  // namespace posthorn
