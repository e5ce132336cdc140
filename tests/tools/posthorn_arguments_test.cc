// Command lines and the requests that they become.
#include "tools/posthorn/arguments.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/posthorn/report.h"

namespace posthorn {
namespace {

std::variant<Invocation, UsageText> parse(const std::string& line) {
    std::istringstream words(line);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    return parse_arguments(arguments);
}

nlohmann::json request(const std::string& line) {
    const auto parsed = parse(line);
    const auto* invocation = std::get_if<Invocation>(&parsed);
    return invocation == nullptr ? nlohmann::json(std::get<UsageText>(parsed).text)
                                 : nlohmann::json::parse(invocation->request);
}

std::string here(const std::string& file) {
    return (std::filesystem::current_path() / file).string();
}

TEST(PosthornArguments, EachCommandBecomesARequest) {
    const std::pair<const char*, nlohmann::json> table[] = {
        {"send c.json --json",
         {{"command", "send"}, {"file", here("c.json")}, {"allow_outside", false}}},
        {"send c.json",
         {{"command", "send"},
          {"file", here("c.json")},
          {"allow_outside", false},
          {"domains", kDomainsShown}}},
        {"check --dns c.json --allow-outside",
         {{"command", "check"}, {"file", here("c.json")}, {"allow_outside", true}, {"dns", true}}},
        {"preview c.json --as a@x.test --out /o",
         {{"command", "preview"},
          {"file", here("c.json")},
          {"allow_outside", false},
          {"as", "a@x.test"},
          {"out", "/o"}}},
        {"status", {{"command", "status"}}},
        {"status spring", {{"command", "status"}, {"campaign", "spring"}}},
        {"report spring",
         {{"command", "report"}, {"campaign", "spring"}, {"domains", kDomainsShown}}},
        {"report spring --json", {{"command", "report"}, {"campaign", "spring"}}},
        {"recipients spring --outcome bounced --csv",
         {{"command", "recipients"}, {"campaign", "spring"}, {"outcome", "bounced"}}},
        {"events --follow", {{"command", "events"}, {"follow", true}}},
        {"trace a@x.test", {{"command", "trace"}, {"address", "a@x.test"}}},
        {"hold x.test --reason broken",
         {{"command", "hold"}, {"domain", "x.test"}, {"reason", "broken"}}},
        {"set spring throttle.rate=200/s retry.max_attempts=3",
         {{"command", "set"},
          {"campaign", "spring"},
          {"assignments", {"throttle.rate=200/s", "retry.max_attempts=3"}}}},
        {"suppress add a@x.test b@x.test --reason asked",
         {{"command", "suppress"},
          {"action", "add"},
          {"addresses", {"a@x.test", "b@x.test"}},
          {"reason", "asked"}}},
        {"suppress remove --source campaign:spring --since 2h",
         {{"command", "suppress"},
          {"action", "remove"},
          {"addresses", nlohmann::json::array()},
          {"source", "campaign:spring"},
          {"since", "2h"}}},
        {"suppress import s.csv",
         {{"command", "suppress"},
          {"action", "import"},
          {"file", here("s.csv")},
          {"reason", "manual"}}},
        {"suppress list", {{"command", "suppress"}, {"action", "list"}}},
        {"classify --stage rcpt", {{"command", "classify"}, {"stage", "rcpt"}}},
        {"serve", {{"command", "serve"}}},
    };
    for (const auto& [line, expected] : table) EXPECT_EQ(request(line), expected) << line;
}

TEST(PosthornArguments, CommonOptionsStandBeforeOrBehindTheCommand) {
    for (const char* line : {"--data /d --config /c --json --quiet status",
                             "status --data /d --config /c --json --quiet"}) {
        const auto parsed = parse(line);
        const auto* invocation = std::get_if<Invocation>(&parsed);
        ASSERT_NE(invocation, nullptr) << line;
        EXPECT_EQ(invocation->data_directory, "/d");
        EXPECT_EQ(invocation->config_file, "/c");
        EXPECT_TRUE(invocation->config_given);
        EXPECT_TRUE(invocation->json && invocation->quiet);
    }
}

TEST(PosthornArguments, WhatIsWrongIsInvalidInput) {
    for (const char* line :
         {"", "sned c.json", "send", "send a b", "recipients spring --outcome lost", "report",
          "hold", "classify --stage lunch", "suppress", "suppress remove", "--wat status",
          "suppress remove --since 2h", "suppress remove --source s --since yesterday",
          "suppress remove a@x.test --source s", "set spring", "help sned"}) {
        const auto parsed = parse(line);
        const auto* usage = std::get_if<UsageText>(&parsed);
        ASSERT_NE(usage, nullptr) << line;
        EXPECT_EQ(usage->exit, kInvalidInput) << line;
        EXPECT_FALSE(usage->text.empty()) << line;
    }
}

TEST(PosthornArguments, HelpNamesEveryCommandAndEachHasItsOwn) {
    const auto parsed = parse("help");
    const auto* all = std::get_if<UsageText>(&parsed);
    ASSERT_NE(all, nullptr);
    EXPECT_EQ(all->exit, kDone);
    for (const char* name :
         {"send",        "check",    "preview", "status",   "report",      "recipients",
          "events",      "trace",    "pause",   "resume",   "cancel",      "hold",
          "release",     "flush",    "set",     "suppress", "unsubscribe", "explain",
          "tls-results", "classify", "purge",   "forget",   "serve",       "help"}) {
        EXPECT_NE(all->text.find(std::string("\n  ") + name + " "), std::string::npos) << name;
        for (const std::string& line :
             {std::string(name) + " --help", "help " + std::string(name)}) {
            const auto own = parse(line);
            const auto* usage = std::get_if<UsageText>(&own);
            ASSERT_NE(usage, nullptr) << line;
            EXPECT_EQ(usage->exit, kDone) << line;
            EXPECT_NE(usage->text.find("posthorn " + std::string(name)), std::string::npos) << line;
        }
    }
}

}  // namespace
}  // namespace posthorn
