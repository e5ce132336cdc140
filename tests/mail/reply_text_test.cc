#include "engine/mail/reply_text.h"

#include <gtest/gtest.h>

#include <string>

namespace posthorn {
namespace {

std::string folded(std::string_view text) {
    FoldedReply out;
    fold_reply(text, out);
    return out.text;
}

TEST(ReplyText, CaseAccentsAndBlanksAreFolded) {
    EXPECT_EQ(folded("  User\t\r\n UNKNOWN "), "user unknown");
    EXPECT_EQ(folded("Boîte PLEINE, Größe Ñandú, łódź"), "boite pleine, grose nandu, lodz");
    EXPECT_EQ(folded("Bo\xeete \xc9t\xe9"), "boite ete");
    EXPECT_EQ(folded("ПОЛЬЗОВАТЕЛЬ"), "пользователь");
    EXPECT_EQ(folded("doesn\xe2\x80\x99t"), "doesn't");
    EXPECT_EQ(folded("\x80\xff\xc3"), "?ya");
}

TEST(ReplyText, AddressesAndUrlsAreReplaced) {
    EXPECT_EQ(folded("<Ann.B+c@Mail.B.test>: no"), "<@>: no");
    EXPECT_EQ(folded("User ann@b.test. Gone"), "user <@>. gone");
    EXPECT_EQ(folded("<***@b.test>"), "<@>");
    EXPECT_EQ(folded("a @ b, @x, y@"), "a @ b, @x, y@");
    FoldedReply out;
    fold_reply("see HTTPS://B.test/a?P=Q, or www.c.test.", out);
    EXPECT_EQ(out.text, "see {url}, or {url}.");
    EXPECT_EQ(out.links, "https://b.test/a?p=q, www.c.test. ");
}

TEST(ReplyText, TextIsBounded) {
    EXPECT_LE(folded(std::string(100000, 'a')).size(), kMaxFoldedBytes + 8);
    std::string urls;
    for (int i = 0; i < 5000; ++i) urls += "http://b.test/ ";
    FoldedReply out;
    fold_reply(urls, out);
    EXPECT_LE(out.text.size(), kMaxFoldedBytes + 8);
    EXPECT_LE(out.links.size(), kMaxFoldedBytes);
    EXPECT_LE(normalise_reply(std::string(100000, '1') + " x").size(), kMaxNormalisedBytes);
}

TEST(ReplyText, RepliesThatDifferOnlyInParticularsGroupTogether) {
    EXPECT_EQ(normalise_reply("Mail from [192.0.2.1] refused by mx1.b.test, id 4F7A21BC09 (12 s)"),
              "mail from [{ip}] refused by {host}, id {id} ({n} s)");
    EXPECT_EQ(normalise_reply("<a@b.test>: blocked 2001:db8::1, see https://b.test/1"),
              normalise_reply("<x@y.test>: blocked 2001:db8::2, see https://b.test/2"));
    EXPECT_NE(normalise_reply("user unknown"), normalise_reply("mailbox full"));
}

}  // namespace
}  // namespace posthorn
