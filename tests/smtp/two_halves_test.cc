// The client half against the server half over a simulated wire, every choice drawn from one seed:
// messages, rungs, recipients, replies, the size of every read and write, and sometimes the loss of
// the connection. Checked from the server's side, where the truth is.
#include <gtest/gtest.h>

#include <map>

#include "engine/base/random.h"
#include "engine/smtp/client_session.h"
#include "engine/smtp/server_session.h"

namespace posthorn {
namespace {

enum class Fate { kOpen, kFinished, kReturned, kUncertain };

struct Sent {
    std::vector<std::string> recipients;
    std::string message;
    Fate fate = Fate::kOpen;
    int refused = 0;
    bool told_accepted = false;  // 2yz to the dot has been read
    bool really_accepted = false;
};

std::string random_message(Random& random) {
    static constexpr std::string_view kParts[] = {".", "..", "\r\n", "\r\n.", "\r\n.\r\n", "x"};
    std::string message;
    for (std::size_t i = random.below(30); i > 0; --i) {
        if (random.chance(0.3)) message.append(random.below(400), 'a');
        message += kParts[random.below(std::size(kParts))];
    }
    if (random.chance(0.1)) message.append(20000, 'b');
    if (!message.empty() && !message.ends_with("\r\n")) message += "\r\n";
    return message;
}

class Wire {
  public:
    explicit Wire(std::uint64_t seed) : random_(seed) {
        auto client = std::make_shared<ClientOptions>();
        client->ehlo_name = "me.example";
        client->max_rung = static_cast<Rung>(random_.below(5));
        auto server = std::make_shared<ServerOptions>();
        if (random_.chance(0.8)) server->offers.push_back("PIPELINING");
        if (random_.chance(0.8)) server->offers.push_back("CHUNKING");
        if (random_.chance(0.5)) server->offers.push_back("SIZE 100000");
        client_.emplace(client, now_);
        server_.emplace(server, now_);
        loss_ = random_.chance(0.5) ? 0.002 : 0;
        refusals_ = random_.chance(0.5) ? 0.1 : 0;
        last_id_ = random_.below(12);
    }

    void run() {
        for (int step = 0; step < 200000 && !client_->closed(); ++step) {
            switch (random_.below(5)) {
                case 0:
                    client_writes();
                    break;
                case 1:
                    server_reads();
                    break;
                case 2:
                    server_writes();
                    break;
                case 3:
                    client_reads();
                    break;
                default:
                    server_answers();
            }
            if (random_.chance(loss_)) client_->connection_lost(now_);
            owner_acts();
        }
        ASSERT_TRUE(client_->closed()) << client_->phrase();
        owner_acts();
        check();
    }

    int accepted() const { return accepted_; }
    int uncertain() const { return uncertain_; }

  private:
    std::size_t some(std::size_t size) {
        return random_.chance(0.3) ? size : std::min(size, 1 + random_.below(40));
    }

    static std::string take(std::string& from, std::size_t count) {
        std::string taken = from.substr(0, count);
        from.erase(0, count);
        return taken;
    }

    void client_writes() {
        const std::string_view output = client_->output();
        if (output.empty()) return;
        const std::size_t count = some(output.size());
        to_server_.append(output.substr(0, count));
        client_->bytes_written(count, now_);
    }

    void server_reads() {
        if (to_server_.empty() || !server_->wants_input()) return;
        const std::string piece = take(to_server_, some(to_server_.size()));
        server_->bytes_received(piece, now_);
        drain_server();
    }

    void server_writes() {
        const std::string_view output = server_->output();
        if (output.empty()) return;
        const std::size_t count = some(output.size());
        to_client_.append(output.substr(0, count));
        server_->consume_output(count, now_);
        drain_server();
    }

    void client_reads() {
        if (!to_client_.empty()) {
            client_->bytes_received(take(to_client_, some(to_client_.size())), now_);
        } else if (server_->closed() && server_->output().empty()) {
            client_->connection_lost(now_);
        }
    }

    void drain_server() {
        while (auto event = server_->next_event()) {
            if (const auto* body = std::get_if<ServerSession::Body>(&*event)) body_ += body->bytes;
            if (const auto* ask = std::get_if<ServerSession::Ask>(&*event)) stage_ = ask->stage;
            ASSERT_FALSE(std::holds_alternative<ServerSession::Dropped>(*event) && !body_.empty());
        }
    }

    void server_answers() {
        drain_server();
        if (!server_->asked()) return;
        const bool session = stage_ == Stage::kConnect || stage_ == Stage::kEhlo;
        if (!session && random_.chance(refusals_)) {
            body_.clear();
            const bool closes = random_.chance(0.2);
            const auto code = static_cast<std::uint16_t>(closes                ? 421
                                                         : random_.chance(0.5) ? 450
                                                                               : 550);
            server_->answer({code, {}, "no"}, now_,
                            closes ? ServerSession::After::kClose : ServerSession::After::kGoOn);
        } else {
            if (stage_ == Stage::kDot) keep_message();
            server_->accept(now_);
        }
        drain_server();
    }

    // The sender address names the transaction.
    void keep_message() {
        Sent& sent = sent_.at(std::stoul(server_->sender()));
        EXPECT_EQ(body_, sent.message);
        EXPECT_EQ(server_->message_bytes(), sent.message.size());
        EXPECT_FALSE(sent.really_accepted) << "accepted twice";
        EXPECT_GT(server_->recipients(), 0u);
        sent.really_accepted = true;
        body_.clear();
    }

    void owner_acts() {
        while (auto event = client_->next_event()) {
            if (const auto* wanted = std::get_if<client::MessageWanted>(&*event)) {
                ASSERT_TRUE(client_->give_message(sent_.at(wanted->transaction).message, now_));
            }
            if (const auto* refused = std::get_if<client::RecipientRefused>(&*event))
                ++sent_.at(refused->transaction).refused;
            if (const auto* end = std::get_if<client::TransactionFinished>(&*event)) {
                close(end->transaction, Fate::kFinished);
                sent_.at(end->transaction).told_accepted =
                    end->stage == Stage::kDot && end->reply.positive();
            }
            if (const auto* end = std::get_if<client::Returned>(&*event))
                close(end->transaction, Fate::kReturned);
            if (const auto* end = std::get_if<client::Uncertain>(&*event))
                close(end->transaction, Fate::kUncertain);
            if (const auto* end = std::get_if<client::Failed>(&*event)) {
                EXPECT_TRUE(end->why == SessionEnd::kReply ||
                            end->why == SessionEnd::kConnectionLost)
                    << name_of(end->why);
            }
        }
        if (client_->can_start() && random_.chance(0.3)) start_or_quit();
    }

    void start_or_quit() {
        if (next_id_ == last_id_) return client_->quit(now_);
        Sent& sent = sent_[++next_id_];
        sent.message = random_message(random_);
        for (std::size_t i = 0; i < 1 + random_.below(4); ++i)
            sent.recipients.push_back("r" + std::to_string(i) + "@y");
        const std::vector<std::string_view> views(sent.recipients.begin(), sent.recipients.end());
        const std::string from = std::to_string(next_id_) + "@x";
        client_->start({next_id_, from, views, sent.message.size(), false, false}, now_);
    }

    void close(TransactionId id, Fate fate) {
        EXPECT_EQ(sent_.at(id).fate, Fate::kOpen) << "two ends";
        sent_.at(id).fate = fate;
    }

    void check() {
        for (const auto& [id, sent] : sent_) {
            EXPECT_NE(sent.fate, Fate::kOpen) << "transaction " << id << " has no end";
            EXPECT_LE(sent.refused, static_cast<int>(sent.recipients.size()));
            if (sent.fate == Fate::kFinished) {
                EXPECT_EQ(sent.told_accepted, sent.really_accepted);
            }
            if (sent.fate == Fate::kReturned) {
                EXPECT_FALSE(sent.really_accepted);
            }
            accepted_ += sent.told_accepted ? 1 : 0;
            uncertain_ += sent.fate == Fate::kUncertain ? 1 : 0;
        }
    }

    Random random_;
    Instant now_{};
    std::optional<ClientSession> client_;
    std::optional<ServerSession> server_;
    std::string to_server_;
    std::string to_client_;
    std::string body_;
    Stage stage_ = Stage::kNone;
    double loss_ = 0;
    double refusals_ = 0;
    std::map<TransactionId, Sent> sent_;
    TransactionId next_id_ = 0;
    TransactionId last_id_ = 0;
    int accepted_ = 0;
    int uncertain_ = 0;
};

TEST(TwoHalves, AgreeOnEveryMessageWhateverHappensToTheWire) {
    int accepted = 0;
    int uncertain = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Wire wire(seed);
        wire.run();
        if (HasFailure()) return;
        accepted += wire.accepted();
        uncertain += wire.uncertain();
    }
    EXPECT_GT(accepted, 400);
    EXPECT_GT(uncertain, 5);
}

}  // namespace
}  // namespace posthorn
