// Plays dialogs/client/*.txt against a ClientSession. Verbs:
//   option max_rung=lockstep|pipelining|next|chunking|ahead starttls=if_offered|required
//          tls login=user:secret mechanism=plain    (first; tls: from the first word on)
//   S: lines          the server says them          S-raw: text     without line ends of its own
//   S-times: N text   the server says it so often
//   C: lines          the client has written exactly these; all of them reach the kernel
//   C-part: N lines   the same, but only the first N octets do
//   C-starts: text    the client has written one line that begins so
//   C-rest:           the octets that C-part kept back reach the kernel too
//   send id=1 from=a to=b,c size=N 8bit utf8        message: lines       (\ at the end: no CRLF)
//   event words       the next event                phrase words         deadline 5m | none
//   can_start yes|no  wait 5m   lost   quit   abort   tls   tls-failed   refuses-message: text
#include <gtest/gtest.h>

#include "engine/base/units.h"
#include "engine/net/sasl_login.h"
#include "engine/smtp/client_session.h"
#include "tests/smtp/script.h"

namespace posthorn {
namespace {

struct Describe {
    std::string operator()(const client::Ready&) const { return "ready"; }
    std::string operator()(const client::TlsWanted&) const { return "tls wanted"; }
    std::string operator()(const client::MessageWanted& event) const {
        return "message " + std::to_string(event.transaction) + " wanted";
    }
    std::string operator()(const client::RecipientAccepted& event) const {
        return recipient(event.transaction, event.recipient) + " accepted";
    }
    std::string operator()(const client::RecipientRefused& event) const {
        return recipient(event.transaction, event.recipient) + local(event.local) + " refused " +
               to_string(event.reply);
    }
    std::string operator()(const client::TransactionFinished& event) const {
        return "finished " + std::to_string(event.transaction) + local(event.local) + " " +
               std::string(name_of(event.stage)) + " " + to_string(event.reply);
    }
    std::string operator()(const client::Returned& event) const {
        return "returned " + std::to_string(event.transaction);
    }
    std::string operator()(const client::Uncertain& event) const {
        return "uncertain " + std::to_string(event.transaction);
    }
    std::string operator()(const client::Failed& event) const {
        std::string words =
            "failed " + std::string(name_of(event.stage)) + " " + std::string(name_of(event.why));
        if (event.reply.code != 0) words += " " + to_string(event.reply);
        return words;
    }
    std::string operator()(const client::Closed&) const { return "closed"; }

    static std::string recipient(TransactionId id, std::uint32_t index) {
        return "recipient " + std::to_string(id) + "." + std::to_string(index);
    }
    static std::string local(bool is) { return is ? " locally" : ""; }
};

class Player {
  public:
    explicit Player(Cutter cutter) : cutter_(cutter) {
        options_->ehlo_name = "me.example";
        options_->max_rung = Rung::kPipelining;
    }

    void play(const ScriptLine& line) {
        if (line.verb == "option") return set_options(line.rest);
        if (!session_) session_.emplace(options_, now_, tls_);
        if (line.verb != "event") expect_no_event();
        step(line.verb, line.rest);
    }

    void end() {
        expect_no_event();
        EXPECT_EQ(visible(unwritten()), "") << "the client wrote more than the dialog says";
    }

  private:
    void set_options(const std::string& rest) {
        auto settings = parse_settings(rest);
        const std::string rung = settings["max_rung"];
        if (rung == "lockstep") options_->max_rung = Rung::kLockstep;
        if (rung == "next") options_->max_rung = Rung::kNextBehindDot;
        if (rung == "chunking") options_->max_rung = Rung::kChunking;
        if (rung == "ahead") options_->max_rung = Rung::kChunkingAhead;
        if (settings["starttls"] == "if_offered") options_->starttls = StartTls::kIfOffered;
        if (settings["starttls"] == "required") options_->starttls = StartTls::kRequired;
        tls_ = settings.count("tls") > 0;
        if (settings.count("login") == 0) return;
        const std::string& login = settings["login"];
        const std::size_t colon = login.find(':');
        auto made = make_sasl_login({login.substr(0, colon), login.substr(colon + 1)},
                                    settings["mechanism"]);
        ASSERT_TRUE(made);
        options_->login = *made;
    }

    void step(const std::string& verb, const std::string& rest) {
        if (verb == "S:") return receive(smtp_lines(rest));
        if (verb == "S-raw:") return receive(unescape(rest));
        if (verb == "S-times:") {
            const std::size_t space = rest.find(' ');
            const std::string text = unescape(rest.substr(space + 1));
            std::string all;
            for (std::size_t i = std::stoul(rest.substr(0, space)); i > 0; --i) all += text;
            return receive(all);
        }
        if (verb == "C:") return expect_output(smtp_lines(rest), std::string::npos);
        if (verb == "C-part:") {
            const std::size_t space = rest.find(' ');
            return expect_output(smtp_lines(rest.substr(space + 1)),
                                 std::stoul(rest.substr(0, space)));
        }
        if (verb == "C-starts:") {
            EXPECT_EQ(unwritten().substr(0, rest.size()), rest);
            return write(session_->output().size());
        }
        if (verb == "C-rest:") return write(session_->output().size());
        if (verb == "send") return send(rest);
        if (verb == "event") {
            const auto event = session_->next_event();
            EXPECT_EQ(event ? std::visit(Describe(), *event) : "(no event)", rest);
            return;
        }
        if (verb == "message:") return give(rest);
        if (verb == "refuses-message:") {
            EXPECT_FALSE(session_->give_message(unescape(rest), now_));
            return;
        }
        if (verb == "phrase") {
            EXPECT_EQ(session_->phrase(), rest);
            return;
        }
        if (verb == "can_start") {
            EXPECT_EQ(session_->can_start() ? "yes" : "no", rest);
            return;
        }
        step_in_time(verb, rest);
    }

    void step_in_time(const std::string& verb, const std::string& rest) {
        if (verb == "deadline") {
            const auto deadline = session_->deadline();
            EXPECT_EQ(deadline ? to_string(Duration(*deadline - now_)) : "none", rest);
        } else if (verb == "wait") {
            now_ += *parse_duration(rest);
            session_->deadline_passed(now_);
        } else if (verb == "lost") {
            session_->connection_lost(now_);
        } else if (verb == "quit") {
            session_->quit(now_);
        } else if (verb == "abort") {
            session_->abort(now_);
        } else if (verb == "tls") {
            session_->tls_started(now_);
        } else if (verb == "tls-failed") {
            session_->tls_failed(now_);
        } else {
            ADD_FAILURE() << "unknown verb " << verb;
        }
    }

    void receive(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::string piece(bytes.substr(0, cutter_.next_piece(bytes.size())));
            bytes.remove_prefix(piece.size());
            session_->bytes_received(piece, now_);
        }
    }

    std::string_view unwritten() const {
        const auto output = session_->output();
        return output.substr(std::min(kept_back_, output.size()));
    }

    void expect_output(const std::string& expected, std::size_t written_max) {
        EXPECT_EQ(visible(unwritten()), visible(expected));
        const std::size_t size = session_->output().size();
        write(std::min(size, written_max));
        kept_back_ = session_->output().size();
    }

    void write(std::size_t count) {
        kept_back_ = 0;
        while (count > 0) {
            const std::size_t piece = cutter_.next_piece(count);
            session_->bytes_written(piece, now_);
            count -= piece;
        }
    }

    void send(const std::string& rest) {
        auto settings = parse_settings(rest);
        const auto recipients = split(settings["to"], ",");
        std::vector<std::string> unescaped;
        for (const std::string& recipient : recipients) unescaped.push_back(unescape(recipient));
        const std::vector<std::string_view> views(unescaped.begin(), unescaped.end());
        const std::string from = unescape(settings["from"]);
        Transaction transaction;
        transaction.id = settings.count("id") ? std::stoul(settings["id"]) : 1;
        transaction.from = from;
        transaction.recipients = views;
        transaction.message_bytes = settings.count("size") ? std::stoul(settings["size"]) : 0;
        transaction.eight_bit = settings.count("8bit") > 0;
        transaction.smtputf8 = settings.count("utf8") > 0;
        ASSERT_TRUE(session_->can_start());
        session_->start(transaction, now_);
    }

    void give(const std::string& rest) {
        std::string message = smtp_lines(rest);
        if (message.ends_with("\\\r\n")) message.resize(message.size() - 3);
        EXPECT_TRUE(session_->give_message(message, now_));
    }

    void expect_no_event() {
        if (!session_) return;
        const auto event = session_->next_event();
        EXPECT_EQ(event ? std::visit(Describe(), *event) : "(no event)", "(no event)");
    }

    std::shared_ptr<ClientOptions> options_ = std::make_shared<ClientOptions>();
    Cutter cutter_;
    bool tls_ = false;
    std::optional<ClientSession> session_;
    Instant now_{};
    std::size_t kept_back_ = 0;
};

class ClientDialogs : public testing::TestWithParam<std::string> {};

TEST_P(ClientDialogs, GoAsWritten) {
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

INSTANTIATE_TEST_SUITE_P(Dialog, ClientDialogs,
                         testing::ValuesIn(list_scripts(POSTHORN_SOURCE_DIR
                                                        "/tests/smtp/dialogs/client")),
                         stem);

}  // namespace
}  // namespace posthorn
