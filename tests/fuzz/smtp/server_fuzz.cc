// A server session whose client says anything: the same replies and messages whether its bytes come
// whole or octet by octet, and no message that the owner accepts holds a bare CR or LF.
#include <string>

#include "engine/base/check.h"
#include "engine/smtp/line_scan.h"
#include "engine/smtp/server_session.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

// Everything that a session let out.
struct Record {
    std::string output;
    std::string messages;
    std::size_t events = 0;

    friend bool operator==(const Record&, const Record&) = default;
};

class Owner {
  public:
    explicit Owner(std::uint8_t choices) : choices_(choices) {
        auto options = std::make_shared<ServerOptions>();
        options->offers = {"PIPELINING", "CHUNKING", "8BITMIME", "SIZE 500"};
        if (choices & 1) options->offers.push_back("STARTTLS");
        if (choices & 2) options->offers.push_back("SMTPUTF8");
        session_.emplace(options, now_);
        drain();
    }

    Record play(std::string_view stream, std::size_t piece_size) {
        while (!stream.empty() && session_->wants_input()) {
            const std::string piece(stream.substr(0, piece_size));
            stream.remove_prefix(piece.size());
            session_->bytes_received(piece, now_);
            drain();
        }
        return record_;
    }

  private:
    void drain() {
        bool moved = true;
        while (moved) {  // there may be more to say once there is room for it
            moved = false;
            for (; auto event = session_->next_event(); moved = true) take(*event);
            record_.output += session_->output();
            session_->consume_output(session_->output().size(), now_);
        }
    }

    void take(const ServerSession::Event& event) {
        if (const auto* body = std::get_if<ServerSession::Body>(&event)) {
            message_ += body->bytes;
            return;
        }
        ++record_.events;
        if (const auto* ask = std::get_if<ServerSession::Ask>(&event)) answer(*ask);
        if (std::holds_alternative<ServerSession::Dropped>(event)) message_.clear();
    }

    void answer(const ServerSession::Ask& ask) {
        if (ask.stage == Stage::kEhlo) message_.clear();
        if (ask.stage == Stage::kDot) {
            CHECK(session_->message_bytes() == message_.size());
            CHECK(session_->recipients() > 0);
            for (std::size_t i = 0; i < session_->recipients(); ++i)
                CHECK(!session_->recipient(i).empty());
            check_canonical();
            record_.messages += message_ + "$";
            message_.clear();
        }
        // By the choices some stages are refused, each the same way in every play.
        if (choices_ >> 2 & 1 && ask.argument.size() % 5 == 4) {
            session_->answer({450, {}, "no"}, now_);
        } else {
            session_->accept(now_);
        }
    }

    void check_canonical() const {
        std::string_view rest = message_;
        for (char before = '\n'; !rest.empty();) {
            const std::size_t odd = find_odd_octet_slowly(rest, before);
            if (odd == rest.size()) break;
            CHECK(rest[odd] == '.');
            before = '.';
            rest.remove_prefix(odd + 1);
        }
        CHECK(!message_.ends_with('\r'));
    }

    std::uint8_t choices_;
    Instant now_{};
    std::optional<ServerSession> session_;
    Record record_;
    std::string message_;
};

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::FuzzInput input(bytes, size);
    const std::uint8_t choices = input.octet();
    const std::string_view stream = input.text(size);
    const bool starttls = choices & 1;  // what may follow it depends on the pieces
    const auto whole = posthorn::Owner(choices).play(stream, stream.size());
    const auto octets = posthorn::Owner(choices).play(stream, 1);
    CHECK(starttls || whole == octets);
    return 0;
}
