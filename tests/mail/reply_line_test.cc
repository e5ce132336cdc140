#include "engine/mail/reply_line.h"

#include <gtest/gtest.h>

#include <string>

namespace posthorn {
namespace {

// "code|enhanced|text" as parsed.
std::string parsed(std::string_view line) {
    const Reply reply = parse_reply_line(line);
    return std::to_string(reply.code) + "|" + (reply.enhanced ? to_string(*reply.enhanced) : "") +
           "|" + reply.text;
}

TEST(ReplyLine, ABareReplyIsRead) {
    EXPECT_EQ(parsed("550 5.1.1 no such user"), "550|5.1.1|no such user");
    EXPECT_EQ(parsed("  250 ok\r\n"), "250||ok");
    EXPECT_EQ(parsed("550"), "550||");
    EXPECT_EQ(parsed("550-5.1.1 no such user"), "550|5.1.1|no such user");
    EXPECT_EQ(parsed("550: 5.1.1 <a@b.test>... User Unknown"),
              "550|5.1.1|<a@b.test>... User Unknown");
    EXPECT_EQ(parsed("550 #5.1.0 Address rejected"), "550|5.1.0|Address rejected");
}

TEST(ReplyLine, WhatStandsBeforeTheReplyIsDropped) {
    EXPECT_EQ(parsed("smtp; 550 5.1.1 no"), "550|5.1.1|no");
    EXPECT_EQ(parsed("host b.test[192.0.2.1] said: 452-4.2.2 full"), "452|4.2.2|full");
    EXPECT_EQ(parsed("SMTP error from remote mail server after RCPT TO:<a@b.test>: host b.test "
                     "[192.0.2.1]: 550 no"),
              "550||no");
    EXPECT_EQ(parsed("\"554 no\""), "554||no");
    EXPECT_EQ(parsed("the following error message: [554 5.4.6 loop]"), "554|5.4.6|loop]");
    EXPECT_EQ(parsed("server returned was: 550 550 Unknown user"), "550||550 Unknown user");
}

TEST(ReplyLine, NumbersThatAreNotCodesAreLeft) {
    EXPECT_EQ(parsed("gave up after 500 attempts").substr(0, 2), "0|");
    EXPECT_EQ(parsed("after MAIL FROM:<a@b.test> SIZE=543: refused").substr(0, 2), "0|");
    EXPECT_EQ(parsed("[2001:db8:551::1] did not answer").substr(0, 2), "0|");
    EXPECT_EQ(parsed("host [192.0.2.1]: 220 b.test 421 4.2.1 busy").substr(0, 2), "0|");
}

TEST(ReplyLine, LinesWithoutACodeKeepTheirTextAndEnhancedCode) {
    EXPECT_EQ(parsed("User unknown"), "0||User unknown");
    EXPECT_EQ(parsed("delivery failed (5.1.1)"), "0|5.1.1|delivery failed (5.1.1)");
    EXPECT_EQ(parsed(""), "0||");
}

TEST(ReplyLine, RepeatedCodesOfFurtherLinesAreDropped) {
    EXPECT_EQ(parsed("550-5.1.1 the account you tried to 550-5.1.1 reach does not 550 5.1.1 exist"),
              "550|5.1.1|the account you tried to reach does not exist");
}

TEST(ReplyLine, TheStageIsTakenFromTheWrapping) {
    EXPECT_EQ(stage_of_line("550 no (in reply to RCPT TO command)"), Stage::kRcpt);
    EXPECT_EQ(stage_of_line("550 no (in reply to end of DATA command)"), Stage::kDot);
    EXPECT_EQ(stage_of_line("SMTP error from remote mail server after initial connection: 554 x"),
              Stage::kConnect);
    EXPECT_EQ(stage_of_line("550 no such user"), Stage::kNone);
}

}  // namespace
}  // namespace posthorn
