#include "engine/mail/classifier.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/mail/reply_line.h"

namespace posthorn {
namespace {

const Classifier& classifier() {
    static const std::unique_ptr<const Classifier> shared = Classifier::with_default_rules();
    return *shared;
}

// "category/action" of one line at a stage.
std::string read(std::string_view line, Stage stage = Stage::kRcpt) {
    const Verdict verdict = classifier().classify_line(line, stage);
    return std::string(name_of(verdict.category)) + "/" + std::string(name_of(verdict.action));
}

TEST(Classifier, EveryShippedRuleIsReachedByItsExample) {
    ASSERT_GT(classifier().rules().size(), 80u);
    for (const ReplyRule& rule : classifier().rules()) {
        const Stage stage = rule.stages.empty() ? Stage::kNone : rule.stages.front();
        const Verdict verdict = classifier().classify_line(rule.example, stage);
        EXPECT_EQ(verdict.rule, rule.name) << rule.example;
        EXPECT_EQ(verdict.category, rule.category) << rule.example;
        EXPECT_TRUE(verdict.by_rule);
    }
}

TEST(Classifier, AcceptanceIsNoCategory) {
    EXPECT_EQ(read("250 2.1.5 Ok"), "none/none");
    EXPECT_EQ(read("354 go ahead", Stage::kData), "none/none");
    EXPECT_EQ(read("250 user unknown, mailbox full"), "none/none");
}

TEST(Classifier, TheClassicThreeAreToldApart) {
    EXPECT_EQ(read("550 no such user"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("550 5.7.1 refused by site policy"), "policy/drop");
    EXPECT_EQ(read("551 user not local; please try <new@b.test>"), "moved/suppress");
    EXPECT_EQ(read("551 user not local"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("552 5.3.4 message too big", Stage::kDot), "message_too_large/drop");
    EXPECT_EQ(read("552 5.2.2 over quota"), "mailbox_full/drop");
    EXPECT_EQ(read("552 no"), "recipients_limit/retry");
    EXPECT_EQ(read("552 no", Stage::kDot), "message_too_large/drop");
}

TEST(Classifier, ATransientReplyNeverSuppresses) {
    EXPECT_EQ(read("450 4.1.1 user unknown"), "invalid_mailbox/retry");
    EXPECT_EQ(read("450 4.2.1 mailbox disabled"), "inactive_mailbox/retry");
    EXPECT_EQ(read("452 4.2.2 mailbox full"), "mailbox_full/retry");
    EXPECT_EQ(read("450 4.1.1 unverified address: host b.test said: 550 5.1.1 User unknown"),
              "invalid_mailbox/retry");
}

TEST(Classifier, OnDoubtTheAddressIsNotSuppressed) {
    for (const std::string_view line : {
             "550 5.1.1 message refused, the sender is blocked by the policy of the recipient",
             "550 5.1.1 <a@b.test>: your IP address is blacklisted",
             "550 5.1.1 rejected as spam",
             "550 5.1.1 too many messages per hour from your server",
             "550 5.2.1 DMARC check failed",
             "550 5.1.1 mailbox is over quota",
             "553 5.1.1 sender domain not found",
             "550 5.1.1 no such user or mailbox is full",
             "550 denied",
             "535 password not accepted: invalid user",
             "550 access denied: user not found in allow list",
             "550 recipient unknown or your address is blocked",
             "550 this user only accepts mail from known senders",
             "554 transaction failed",
         })
        EXPECT_EQ(read(line).find("/suppress"), std::string::npos) << line << " " << read(line);
}

TEST(Classifier, AReplyToTheSessionIsNotAboutTheRecipient) {
    EXPECT_EQ(read("550 5.1.1 user unknown", Stage::kMail), "authentication/stop");
    EXPECT_EQ(read("550 no such user", Stage::kConnect), "policy/drop");
    EXPECT_EQ(read("550 mailbox disabled", Stage::kAuth), "policy/drop");
    EXPECT_EQ(read("550 no such user", Stage::kDot), "invalid_mailbox/suppress");
}

TEST(Classifier, WordsInsideAddressesAndUrlsMeanNothing) {
    EXPECT_EQ(read("550 5.1.1 <spam@virus.test>: user unknown"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("550 user unknown, see https://b.test/help/spam-policy?x=blacklisted"),
              "invalid_mailbox/suppress");
    EXPECT_EQ(read("550 5.7.1 <unknown-user@b.test>: refused"), "policy/drop");
}

TEST(Classifier, UnknownWordsAreUnderstoodByTheEnhancedCode) {
    EXPECT_EQ(read("550 5.1.1 xyzzy"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("550 5.1.2 xyzzy"), "invalid_domain/suppress");
    EXPECT_EQ(read("550 5.1.6 xyzzy"), "moved/suppress");
    EXPECT_EQ(read("550 5.2.1 xyzzy"), "inactive_mailbox/suppress");
    EXPECT_EQ(read("550 5.2.2 xyzzy"), "mailbox_full/drop");
    EXPECT_EQ(read("450 4.5.3 xyzzy"), "recipients_limit/retry");
    EXPECT_EQ(read("550 5.7.23 xyzzy"), "authentication/stop");
    EXPECT_EQ(read("450 4.7.28 xyzzy"), "rate_limited/slow");
    EXPECT_EQ(read("550 5.7.999 xyzzy"), "policy/drop");
    EXPECT_EQ(read("550 xyzzy (#5.1.1)"), "invalid_mailbox/suppress");
}

TEST(Classifier, WithoutWordsAndEnhancedCodeTheReplyCodeAndStageSpeak) {
    EXPECT_EQ(read("550 xyzzy"), "policy/drop");
    EXPECT_EQ(read("551 xyzzy"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("553 xyzzy"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("553 xyzzy", Stage::kMail), "authentication/stop");
    EXPECT_EQ(read("554 xyzzy", Stage::kConnect), "reputation/stop");
    EXPECT_EQ(read("556 xyzzy"), "invalid_domain/suppress");
    EXPECT_EQ(read("452 xyzzy"), "recipients_limit/retry");
    EXPECT_EQ(read("452 xyzzy", Stage::kDot), "temporary/retry");
    EXPECT_EQ(read("454 xyzzy", Stage::kStartTls), "tls/retry");
    EXPECT_EQ(read("421 xyzzy"), "temporary/retry");
    EXPECT_FALSE(classifier().classify_line("550 xyzzy").by_rule);
}

TEST(Classifier, WordsWithoutACodeArePermanentWhenTheyStateAFact) {
    EXPECT_EQ(read("User unknown"), "invalid_mailbox/suppress");
    EXPECT_EQ(read("user unknown, will try again later"), "invalid_mailbox/retry");
    EXPECT_EQ(read("Your message was rejected as spam"), "spam_content/drop");
    EXPECT_EQ(read("connect to b.test: Connection timed out"), "network/retry");
    EXPECT_EQ(read("connection refused"), "network/retry");
    EXPECT_EQ(read("connection refused, giving up"), "network/drop");
    EXPECT_EQ(read("xyzzy"), "unknown/retry");
    EXPECT_EQ(read(""), "unknown/retry");
}

TEST(Classifier, AWrappedReplyTellsItsStageItself) {
    EXPECT_EQ(read("SMTP error from remote mail server after MAIL FROM:<a@b.test>: host c.test "
                   "[192.0.2.1]: 550 unknown user",
                   Stage::kNone),
              "authentication/stop");
    EXPECT_EQ(read("host c.test[192.0.2.1] refused to talk to me: 550 go away", Stage::kNone),
              "reputation/stop");
}

TEST(Classifier, HostileTextIsBounded) {
    std::string at_signs;
    for (int i = 0; i < 20000; ++i) at_signs += "a@";
    std::string bytes = "550 ";
    for (int i = 1; i < 9000; ++i) bytes += static_cast<char>(i * 37 % 255 + 1);
    EXPECT_EQ(read("550 " + at_signs).substr(0, 7), "policy/");
    EXPECT_FALSE(read(bytes).empty());
    EXPECT_FALSE(read(std::string("550 \0user\0unknown", 17)).empty());
    EXPECT_EQ(read("550 Bo\xeete pleine"), "mailbox_full/drop");
    EXPECT_EQ(read("550 Bo\xc3\xaete pleine"), "mailbox_full/drop");
}

}  // namespace
}  // namespace posthorn
