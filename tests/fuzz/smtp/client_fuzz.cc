// A client session whose peer says anything at any time while its owner does what owners do. Every
// transaction must end exactly once, and the session must end.
//
// The input is lines: one that starts with a digit or "!" is said by the peer (without the "!");
// any other is an act of the owner, chosen by its first octet.
#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/smtp/client_session.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

class Owner {
  public:
    explicit Owner(std::uint8_t choices) {
        auto options = std::make_shared<ClientOptions>();
        options->ehlo_name = "me.example";
        options->max_rung = static_cast<Rung>(choices % 5);
        options->starttls = static_cast<StartTls>(choices / 5 % 3);
        session_.emplace(options, now_);
    }

    void act(std::string_view line) {
        const char verb = line.front();
        const auto amount = static_cast<std::size_t>(line.size() > 1 ? line[1] & 0x7f : 0);
        if (verb == '!') session_->bytes_received(line.substr(1), now_);
        if (verb >= '0' && verb <= '9') session_->bytes_received(line, now_);
        if (verb == 'w') write(std::min(session_->output().size(), amount));
        if (verb == 'W') write(session_->output().size());
        if (verb == 't') pass(std::chrono::seconds(10 * amount));
        if (verb == 's' && session_->can_start()) start(line.substr(1), amount);
        if (verb == 'm' && message_wanted_) give(line.substr(1));
        if (verb == 'T' && std::exchange(tls_wanted_, false)) session_->tls_started(now_);
        if (verb == 'q') session_->quit(now_);
        if (verb == 'a') session_->abort(now_);
        if (verb == 'l') session_->connection_lost(now_);
        drain();
    }

    void end() {
        session_->connection_lost(now_);
        drain();
        CHECK(closed_told_);
        for (const auto& [id, ended] : ended_) CHECK(ended);
    }

  private:
    void write(std::size_t count) { session_->bytes_written(count, now_); }

    void pass(Duration time) {
        now_ += time;
        session_->deadline_passed(now_);
    }

    void start(std::string_view recipient, std::size_t amount) {
        const std::string_view recipients[] = {"b@y", recipient, "c@y"};
        const TransactionId id = ended_.size() + 1;
        ended_[id] = false;
        session_->start(
            {id, amount % 2 ? recipient : "a@x", std::span(recipients).subspan(amount % 3),
             amount * 100, amount % 16 == 1, amount % 16 == 2},
            now_);
    }

    void give(std::string_view message) {
        message_wanted_ = false;
        if (!session_->give_message(message, now_)) session_->abort(now_);
    }

    void drain() {
        while (auto event = session_->next_event()) {
            CHECK(!closed_told_);
            if (std::holds_alternative<client::MessageWanted>(*event)) message_wanted_ = true;
            if (std::holds_alternative<client::TlsWanted>(*event)) tls_wanted_ = true;
            if (std::holds_alternative<client::Closed>(*event)) closed_told_ = true;
            if (const auto* end = std::get_if<client::TransactionFinished>(&*event))
                finish(end->transaction);
            if (const auto* end = std::get_if<client::Returned>(&*event)) finish(end->transaction);
            if (const auto* end = std::get_if<client::Uncertain>(&*event)) finish(end->transaction);
        }
        if (session_->closed()) message_wanted_ = tls_wanted_ = false;
        CHECK(session_->closed() == closed_told_);
    }

    void finish(TransactionId id) {
        CHECK(!ended_.at(id));
        ended_[id] = true;
    }

    Instant now_{};
    std::optional<ClientSession> session_;
    std::map<TransactionId, bool> ended_;
    bool message_wanted_ = false;
    bool tls_wanted_ = false;
    bool closed_told_ = false;
};

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::FuzzInput input(bytes, size);
    posthorn::Owner owner(input.octet());
    while (!input.empty()) owner.act(input.line());
    owner.end();
    return 0;
}
