// Answers as people read them.
#include "tools/posthorn/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace posthorn {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What a printer writes, through a pipe (small enough to fit in it).
std::string printed(const std::string& command, const std::string& action, bool csv,
                    const std::vector<nlohmann::json>& lines) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    {
        TextOutput output(ends[1]);
        const auto printer = printer_for(command, action, csv);
        for (const auto& line : lines) printer->line(line, output);
        printer->end(output);
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
    return text;
}

const nlohmann::json kBounced = {{"email", "bob@a.test"},
                                 {"outcome", "bounced"},
                                 {"category", "invalid_mailbox"},
                                 {"code", 550},
                                 {"enhanced_code", "5.1.1"},
                                 {"reply", "no, \x1b[2J user"},
                                 {"stage", "rcpt"},
                                 {"attempts", 1},
                                 {"first_time", "2026-04-02T07:00:00Z"},
                                 {"last_time", "2026-04-02T07:00:01Z"},
                                 {"mx_host", "mx.a.test"},
                                 {"source", "=HYPERLINK()"}};

TEST(Printer, RecipientsAsCsvHaveAHeadingAndNoFormulas) {
    EXPECT_EQ(printed("recipients", "", true, {kBounced}),
              "email,outcome,category,code,enhanced_code,reply,stage,attempts,first_time,last_time,"
              "mx_host,source\r\n"
              "bob@a.test,bounced,invalid_mailbox,550,5.1.1,\"no, \x1b[2J user\",rcpt,1,"
              "2026-04-02T07:00:00Z,2026-04-02T07:00:01Z,mx.a.test,\"'=HYPERLINK()\"\r\n");
}

TEST(Printer, AnEmptyListAsCsvIsItsHeading) {
    EXPECT_EQ(printed("suppress", "export", false, {}), "email,reason,source,since\r\n");
}

TEST(Printer, ReplyTextCannotDriveTheTerminal) {
    const std::string text = printed("recipients", "", false, {kBounced});
    EXPECT_THAT(text, AllOf(StartsWith("bob@a.test  bounced (invalid_mailbox)  550 5.1.1"),
                            HasSubstr("\\x1B[2J"), Not(HasSubstr("\x1b"))));
}

TEST(Printer, AReportShowsOutcomesCategoriesAndDomains) {
    const nlohmann::json report = {
        {"campaign", "spring"},
        {"state", "finished"},
        {"audience", {{"rows", 12}, {"invalid", 2}, {"recipients", 10}}},
        {"outcomes", {{"delivered", 9}, {"bounced", 1}, {"pending", 0}}},
        {"categories", {{"invalid_mailbox", 1}}},
        {"domains", {{{"domain", "a.test"}, {"recipients", 10}, {"delivered", 9}, {"bounced", 1}}}},
        {"attempts", 11},
        {"elapsed_s", 2.0},
        {"messages_per_s", 4.5},
        {"durability", "power"}};
    EXPECT_THAT(report_text(report),
                AllOf(HasSubstr("spring: finished"), HasSubstr("12 rows, 2 invalid, 10 recipients"),
                      HasSubstr("delivered           9  90.0 %"), HasSubstr("invalid_mailbox"),
                      HasSubstr("a.test"), HasSubstr("11 attempts"), HasSubstr("4.5 messages/s")));
}

TEST(Printer, AnswersOfAnotherShapePrintAsFarAsTheyGo) {
    for (const char* command : {"report", "status", "trace", "explain", "recipients", "events"})
        EXPECT_NO_FATAL_FAILURE(printed(command, "", false, {nlohmann::json::object()})) << command;
}

}  // namespace
}  // namespace posthorn
