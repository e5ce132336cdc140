// A client session against canned replies, and the replies by themselves.
#include <string>

#include "bench/hot_paths.h"
#include "engine/base/check.h"
#include "engine/mail/classifier.h"
#include "engine/smtp/client_session.h"

namespace posthorn {
namespace {

constexpr std::uint64_t kMessages = 1'000;
constexpr std::string_view kAccepted = "250 2.0.0 Ok: queued as 4fXh2k3QPzz9sRk\r\n";
constexpr std::string_view kRefused =
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
    "550 5.1.1 double-checking the address. b4-20020a0564021a5700b00453f4ff9e5asi12 - gsmtp\r\n";

// As an accepted reply is read, and a refusal read and understood.
class Replies final : public Work {
  public:
    explicit Replies(std::string_view text, bool understood) : understood_(understood) {
        for (std::uint64_t i = 0; i < kMessages; ++i) bytes_ += text;
    }
    void run() override {
        std::string_view rest = bytes_;
        while (!rest.empty()) {
            CHECK(parser_.parse(rest) == ReplyParser::State::kComplete);
            if (understood_)
                CHECK(classifier_->classify(Stage::kRcpt, parser_.reply()).action != Action::kNone);
        }
    }

  private:
    bool understood_;
    std::string bytes_;
    ReplyParser parser_;
    std::unique_ptr<const Classifier> classifier_ = Classifier::with_default_rules();
};

std::string canned_message() {
    std::string message = "From: a@acme.test\r\nTo: b@d.test\r\nSubject: bench\r\n\r\n";
    while (message.size() < 10'000) message += std::string(74, 'x') + "\r\n";
    return message;
}

// One recipient each, up to the rung; the peer answers whatever was written at once.
class Session final : public Work {
  public:
    explicit Session(Rung rung) : rung_(rung) {
        ClientOptions options;
        options.ehlo_name = "me.test";
        options.max_rung = rung;
        session_.emplace(std::make_shared<const ClientOptions>(std::move(options)), now_);
        take("220 mx.test\r\n");
        written();
        take("250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n");
        written();
        replies_ =
            rung >= Rung::kChunking ? "250 ok\r\n250 ok\r\n" : "250 ok\r\n250 ok\r\n354 go\r\n";
        for (int i = 0; i < 8; ++i) one_flight();
    }

    void run() override {
        while (finished_ < kMessages) one_flight();
        finished_ = 0;
    }

  private:
    void one_flight() {
        const std::uint64_t before = begun_;
        resets_ = 0;
        while (session_->can_start()) start();
        written();
        for (std::uint64_t i = before; i < begun_; ++i) {
            if (i >= begun_ - resets_) take("250 reset\r\n");
            take(replies_);
            written();
            take(kAccepted);
            written();
        }
    }

    void start() {
        Transaction transaction;
        transaction.id = ++begun_;
        transaction.from = "news@acme.test";
        transaction.recipients = {&recipient_, 1};
        transaction.message_bytes = message_.size();
        const std::size_t at = session_->output().size();
        session_->start(transaction, now_);
        if (session_->output().substr(at).starts_with("RSET")) ++resets_;
        events();
    }

    void take(std::string_view bytes) {
        session_->bytes_received(bytes, now_);
        events();
    }

    void events() {
        while (const auto event = session_->next_event()) {
            if (std::holds_alternative<client::MessageWanted>(*event))
                CHECK(session_->give_message(message_, now_));
            else if (std::holds_alternative<client::TransactionFinished>(*event))
                ++finished_;
            else
                CHECK(!std::holds_alternative<client::Failed>(*event));
        }
    }

    void written() { session_->bytes_written(session_->output().size(), now_); }

    Rung rung_;
    Instant now_{std::chrono::hours(1)};
    std::optional<ClientSession> session_;
    std::string message_ = canned_message();
    std::string_view recipient_ = "somebody@d.test";
    std::string_view replies_;
    std::uint64_t begun_ = 0, finished_ = 0;
    std::uint64_t resets_ = 0;  // of the latest flight: all its messages but the first
};

}  // namespace

std::vector<HotPath> smtp_hot_paths() {
    return {
        {"reply_accepted", kMessages, [] { return std::make_unique<Replies>(kAccepted, false); }},
        {"reply_refused", kMessages, [] { return std::make_unique<Replies>(kRefused, true); }},
        {"session_chunking", kMessages,
         [] { return std::make_unique<Session>(Rung::kChunkingAhead); }},
        {"session_pipelining", kMessages,
         [] { return std::make_unique<Session>(Rung::kPipelining); }},
    };
}

}  // namespace posthorn
