// A sender and one peer, word by word: handshakes, and peers that lose their way.
#include "engine/delivery/sender.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

class OneLetter : public Renderer {
  public:
    Status render(const RenderRequest&, RenderedMessage& message) const override {
        message.bytes = "Subject: x\r\n\r\ntext\r\n";
        message.envelope_from = "a@x.test";
        message.envelope_to = "b@y.test";
        return {};
    }
};

class SenderTest : public testing::Test {
  protected:
    void open(std::shared_ptr<const TlsPolicy> tls = nullptr) {
        OpenSession order;
        order.slot = 1;
        order.host = "mx.y.test";
        order.source = "default";
        order.ehlo_name = "me.test";
        order.tls = std::move(tls);
        sender_.ordered(order, now_);
        ASSERT_EQ(sender_.output().connects.size(), 1u);
        sender_.output().clear();
        sender_.connected(1, now_);
    }

    static std::shared_ptr<const TlsPolicy> policy(TlsMode mode, bool implicit = false) {
        return std::make_shared<const TlsPolicy>(TlsPolicy{mode, implicit, "mx.y.test"});
    }

    // One lease of so many recipients.
    void lease(std::uint32_t recipients) {
        auto page = std::make_shared<Page>();
        for (std::uint32_t i = 0; i < recipients; ++i) page->items.emplace_back();
        auto lease = std::make_shared<Lease>();
        lease->sequence = ++leases_;
        lease->slot = 1;
        lease->lane = {1, "y.test"};
        lease->valid_until = now_.instant + std::chrono::seconds(1);
        lease->renderer = renderer_;
        for (std::uint32_t i = 0; i < recipients; ++i) lease->recipients.emplace_back(page, i);
        sender_.ordered(std::shared_ptr<const Lease>(lease), now_);
    }

    void say(std::string_view bytes) { sender_.bytes_received(1, bytes, now_); }

    // What the peer is told since; all of it reaches the kernel.
    std::string said() {
        std::string all;
        while (!sender_.bytes_to_write(1).empty()) {
            const std::string_view bytes = sender_.bytes_to_write(1);
            all += bytes;
            sender_.bytes_written(1, bytes.size(), now_);
        }
        return all;
    }

    template <class Report>
    std::vector<Report> take() {
        std::vector<Report> found;
        for (const SenderReport& report : sender_.output().reports)
            if (const auto* one = std::get_if<Report>(&report)) found.push_back(*one);
        return found;
    }

    Now now_{Instant(std::chrono::hours(1)), WallTime(std::chrono::hours(490'000))};
    std::shared_ptr<const Renderer> renderer_ = std::make_shared<OneLetter>();
    Sender sender_{SenderOptions{}, Classifier::with_default_rules()};
    std::uint64_t leases_ = 0;
};

TEST_F(SenderTest, AHandshakeIsAskedForAndEverythingLearntBeforeItIsForgotten) {
    open(policy(TlsMode::kRequired));
    say("220 mx\r\n");
    EXPECT_EQ(said(), "EHLO me.test\r\n");
    say("250-mx\r\n250-LIMITS MAILMAX=1\r\n250 STARTTLS\r\n");
    EXPECT_EQ(said(), "STARTTLS\r\n");
    say("220 go\r\n");
    ASSERT_EQ(sender_.output().handshakes.size(), 1u);
    EXPECT_EQ(sender_.output().handshakes[0].policy->server_name, "mx.y.test");
    EXPECT_TRUE(sender_.deadline()) << "a handshake may not take for ever";
    sender_.tls_started(1, {}, now_);
    EXPECT_EQ(said(), "EHLO me.test\r\n");
    say("250 mx\r\n");
    ASSERT_EQ(take<SessionReady>().size(), 1u);
    EXPECT_TRUE(take<SessionReady>()[0].tls);
    EXPECT_FALSE(take<SessionReady>()[0].mail_max);
}

TEST_F(SenderTest, WithImplicitTlsNothingIsSaidBeforeTheHandshake) {
    open(policy(TlsMode::kVerify, true));
    EXPECT_EQ(said(), "");
    ASSERT_EQ(sender_.output().handshakes.size(), 1u);
    sender_.tls_started(1, {}, now_);
    say("220 mx\r\n");
    EXPECT_EQ(said(), "EHLO me.test\r\n");
    say("250-mx\r\n250 STARTTLS\r\n");
    EXPECT_EQ(said(), "") << "no TLS within TLS";
    EXPECT_EQ(take<SessionReady>().size(), 1u);
}

TEST_F(SenderTest, APeerThatSpeaksInTheClearInPlaceOfAHandshakeIsLeft) {
    for (const bool implicit : {false, true}) {
        open(policy(TlsMode::kOpportunistic, implicit));
        if (!implicit) say("220 mx\r\n");
        if (!implicit) said();
        if (!implicit) say("250-mx\r\n250 STARTTLS\r\n");
        if (!implicit) said();
        if (!implicit) say("220 go\r\n");
        say("250 AUTH PLAIN\r\n");
        const auto failed = take<SessionFailed>();
        ASSERT_EQ(failed.size(), 1u);
        EXPECT_EQ(failed[0].stage, Stage::kStartTls);
        EXPECT_EQ(failed[0].tls, TlsResult::kValidationFailure);
        EXPECT_EQ(said(), "");
        sender_.output().clear();
    }
}

TEST_F(SenderTest, AHandshakeWithoutAnEndIsGivenUp) {
    open(policy(TlsMode::kVerify, true));
    now_.instant += std::chrono::minutes(2);
    sender_.deadline_passed(now_);
    ASSERT_EQ(take<SessionFailed>().size(), 1u);
    EXPECT_EQ(take<SessionFailed>()[0].tls, TlsResult::kValidationFailure);
}

TEST_F(SenderTest, RequiredTlsThatIsNotOfferedIsSaidSo) {
    open(policy(TlsMode::kRequired));
    say("220 mx\r\n");
    said();
    say("250 mx\r\n");
    EXPECT_EQ(said(), "");
    ASSERT_EQ(take<SessionFailed>().size(), 1u);
    EXPECT_EQ(take<SessionFailed>()[0].tls, TlsResult::kStartTlsNotSupported);
}

TEST_F(SenderTest, WhoCannotFollowPipeliningCostsNobodyAnAttempt) {
    open();
    say("220 mx\r\n");
    said();
    say("250-mx\r\n250 PIPELINING\r\n");
    lease(1);
    EXPECT_EQ(said(), "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n");
    say("250 ok\r\n503 5.5.1 one thing after the other\r\n503 5.5.1 RCPT first\r\n");
    const auto done = take<AttemptDone>();
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].end, AttemptEnd::kReturned);
    EXPECT_EQ(take<SessionEnding>().size(), 1u);
    EXPECT_EQ(said(), "RSET\r\n");
    say("250 ok\r\n");
    EXPECT_EQ(said(), "QUIT\r\n");
    say("221 bye\r\n");
    ASSERT_EQ(take<SessionClosed>().size(), 1u);
    EXPECT_EQ(take<SessionClosed>()[0].mishandled, Rung::kNextBehindDot);
}

// The second reply is the one to DATA, of a peer that forgot what stood before it.
TEST_F(SenderTest, ARecipientThatWasForgottenIsNotRefused) {
    for (const std::string_view reply : {"503 5.5.1 RCPT first", "554 5.5.1 No valid recipients"}) {
        SCOPED_TRACE(reply);
        open();
        say("220 mx\r\n");
        said();
        say("250-mx\r\n250 PIPELINING\r\n");
        lease(1);
        said();
        say("250 ok\r\n" + std::string(reply) + "\r\n");
        for (const AttemptDone& done : take<AttemptDone>())
            EXPECT_EQ(done.end, AttemptEnd::kReturned) << to_string(done.attempt.reply);
        sender_.connection_lost(1, "reset", now_);
        ASSERT_EQ(take<AttemptDone>().size(), 1u);
        EXPECT_EQ(take<AttemptDone>()[0].end, AttemptEnd::kReturned);
        sender_.output().clear();
    }
}

TEST_F(SenderTest, AReplyTooManyMarksTheRungAndASilenceOnlySuspectsIt) {
    open();
    say("220 mx\r\n");
    said();
    say("250-mx\r\n250 PIPELINING\r\n");
    lease(1);
    said();
    say("250 ok\r\n250 ok\r\n354 go\r\n");
    said();
    say("250 ok\r\n250 and another\r\n");
    ASSERT_EQ(take<SessionClosed>().size(), 1u);
    EXPECT_EQ(take<SessionClosed>()[0].mishandled, Rung::kNextBehindDot);
    sender_.output().clear();

    open();
    say("220 mx\r\n");
    said();
    say("250-mx\r\n250 PIPELINING\r\n");
    lease(1);
    said();
    sender_.connection_lost(1, "reset", now_);
    ASSERT_EQ(take<SessionClosed>().size(), 1u);
    EXPECT_FALSE(take<SessionClosed>()[0].mishandled);
    EXPECT_EQ(take<SessionClosed>()[0].suspected, Rung::kNextBehindDot);
}

TEST_F(SenderTest, AtLockstepAReplyAboutTheOrderIsTakenAtItsWord) {
    open();
    say("220 mx\r\n");
    said();
    say("250 mx\r\n");
    lease(1);
    said();
    say("503 5.5.1 not now\r\n");
    ASSERT_EQ(take<AttemptDone>().size(), 1u);
    EXPECT_EQ(take<AttemptDone>()[0].end, AttemptEnd::kRefused);
}

}  // namespace
}  // namespace posthorn
