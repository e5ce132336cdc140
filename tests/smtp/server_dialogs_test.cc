// Plays dialogs/server/*.txt against a ServerSession. Verbs:
//   option offers=A,B;C_1  recipients_max=N      (first; "_" stands for a space)
//   C: lines          the client says them          C-raw: text     without line ends of its own
//   S: lines          the server has said exactly these
//   ask stage words   the owner is asked            accept    answer reply    answer-close reply
//   body lines        all of the message so far     event dropped | tls wanted | closed
//   polite            from here on everything is accepted, unasked by the dialog
//   wait 5m   tls   lost   deadline 5m | none   wants_input yes|no
#include <gtest/gtest.h>

#include "engine/base/units.h"
#include "engine/smtp/server_session.h"
#include "tests/smtp/script.h"

namespace posthorn {
namespace {

class Player {
  public:
    explicit Player(Cutter cutter) : cutter_(cutter) {
        options_->host_name = "mx.example";
        options_->offers = {"PIPELINING", "8BITMIME"};
    }

    void play(const ScriptLine& line) {
        if (line.verb == "option") return set_options(line.rest);
        if (!session_) {
            session_.emplace(options_, now_);
            drain();
        }
        step(line.verb, line.rest);
    }

    void end() {
        EXPECT_TRUE(events_.empty()) << events_.front();
        EXPECT_EQ(visible(session_->output()), "") << "the server said more than the dialog says";
    }

  private:
    void set_options(const std::string& rest) {
        auto settings = parse_settings(rest);
        if (settings.count("recipients_max"))
            options_->recipients_max = std::stoul(settings["recipients_max"]);
        if (!settings.count("offers")) return;
        options_->offers.clear();
        for (std::string& offer : split(settings["offers"], ",")) {
            std::replace(offer.begin(), offer.end(), '_', ' ');
            options_->offers.push_back(offer);
        }
    }

    void step(const std::string& verb, const std::string& rest) {
        if (verb == "C:") {
            receive(smtp_lines(rest));
        } else if (verb == "C-raw:") {
            receive(unescape(rest));
        } else if (verb == "S:") {
            EXPECT_EQ(visible(session_->output()), visible(smtp_lines(rest)));
            session_->consume_output(session_->output().size(), now_);
            drain();
        } else if (verb == "ask") {
            expect_event("ask " + rest);
        } else if (verb == "event") {
            expect_event(rest);
        } else if (verb == "accept") {
            session_->accept(now_);
            drain();
        } else if (verb == "answer" || verb == "answer-close") {
            session_->answer(
                parse_reply_words(rest), now_,
                verb == "answer" ? ServerSession::After::kGoOn : ServerSession::After::kClose);
            drain();
        } else if (verb == "body") {
            EXPECT_EQ(visible(body_), visible(smtp_lines(rest)));
            body_.clear();
        } else if (verb == "polite") {
            polite_ = true;
            if (session_->asked()) {
                events_.pop_back();
                session_->accept(now_);
            }
            drain();
        } else {
            step_in_time(verb, rest);
        }
    }

    void step_in_time(const std::string& verb, const std::string& rest) {
        if (verb == "wait") {
            now_ += *parse_duration(rest);
            session_->deadline_passed(now_);
            drain();
        } else if (verb == "tls") {
            session_->tls_started(now_);
            drain();
        } else if (verb == "lost") {
            session_->connection_lost();
            drain();
        } else if (verb == "wants_input") {
            EXPECT_EQ(session_->wants_input() ? "yes" : "no", rest);
        } else if (verb == "deadline") {
            const auto deadline = session_->deadline();
            EXPECT_EQ(deadline ? to_string(Duration(*deadline - now_)) : "none", rest);
        } else {
            ADD_FAILURE() << "unknown verb " << verb;
        }
    }

    // Each piece lives only as long as it is promised to.
    void receive(std::string_view bytes) {
        while (!bytes.empty() && session_->wants_input()) {
            const std::string piece(bytes.substr(0, cutter_.next_piece(bytes.size())));
            bytes.remove_prefix(piece.size());
            session_->bytes_received(piece, now_);
            drain();
        }
    }

    void drain() {
        while (auto event = session_->next_event()) {
            if (const auto* ask = std::get_if<ServerSession::Ask>(&*event)) {
                if (polite_) {
                    session_->accept(now_);
                    continue;
                }
                std::string words = "ask " + std::string(name_of(ask->stage));
                if (!ask->argument.empty()) words += " " + std::string(ask->argument);
                events_.push_back(words + (ask->chunking ? " chunking" : ""));
            } else if (const auto* body = std::get_if<ServerSession::Body>(&*event)) {
                body_ += body->bytes;
            } else if (std::holds_alternative<ServerSession::Dropped>(*event)) {
                events_.push_back("dropped");
            } else if (std::holds_alternative<ServerSession::TlsWanted>(*event)) {
                events_.push_back("tls wanted");
            } else {
                events_.push_back("closed");
            }
        }
    }

    void expect_event(const std::string& words) {
        EXPECT_EQ(events_.empty() ? "(no event)" : events_.front(), words);
        if (!events_.empty()) events_.erase(events_.begin());
    }

    std::shared_ptr<ServerOptions> options_ = std::make_shared<ServerOptions>();
    Cutter cutter_;
    std::optional<ServerSession> session_;
    Instant now_{};
    std::vector<std::string> events_;
    std::string body_;
    bool polite_ = false;
};

class ServerDialogs : public testing::TestWithParam<std::string> {};

TEST_P(ServerDialogs, GoAsWritten) {
    play_in_all_pieces(GetParam(), [this](const std::vector<ScriptLine>& script, Cutter cutter) {
        ASSERT_FALSE(script.empty());
        Player player(cutter);
        for (const ScriptLine& line : script) {
            SCOPED_TRACE(GetParam() + ":" + std::to_string(line.number));
            player.play(line);
            if (HasFailure()) return;
        }
        SCOPED_TRACE(GetParam() + ", at the end");
        player.end();
    });
}

std::string stem(const testing::TestParamInfo<std::string>& parameter) {
    const std::size_t start = parameter.param.rfind('/') + 1;
    return parameter.param.substr(start, parameter.param.rfind('.') - start);
}

INSTANTIATE_TEST_SUITE_P(Dialog, ServerDialogs,
                         testing::ValuesIn(list_scripts(POSTHORN_SOURCE_DIR
                                                        "/tests/smtp/dialogs/server")),
                         stem);

}  // namespace
}  // namespace posthorn
