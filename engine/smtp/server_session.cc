// What every part of a server session shares: its turns, its answers and its output. The commands
// are in server_commands.cc, the messages in server_body.cc.
#include "engine/smtp/server_session.h"

#include <utility>

#include "engine/base/check.h"

namespace posthorn {

namespace {

// One line per line of the text, each with the code and the enhanced code.
void append_reply(std::string& out, const Reply& reply) {
    std::string_view rest = reply.text;
    while (true) {
        const std::size_t end = rest.find('\n');
        const bool last = end == std::string_view::npos;
        out += std::to_string(reply.code);
        out += last ? ' ' : '-';
        if (reply.enhanced) out += to_string(*reply.enhanced) + " ";
        out += rest.substr(0, end);
        out += "\r\n";
        if (last) return;
        rest.remove_prefix(end + 1);
    }
}

}  // namespace

ServerSession::ServerSession(std::shared_ptr<const ServerOptions> options, Instant now)
    : options_(std::move(options)), active_(now) {
    for (const std::string& offer : options_->offers) offered_.add(offer);
}

void ServerSession::bytes_received(std::string_view bytes, Instant now) {
    if (closed() || bytes.empty()) return;
    CHECK(wants_input());
    active_ = now;
    if (unread_.empty()) {
        unread_ = bytes;
        lent_ = true;
        return;
    }
    CHECK(!lent_);  // next_event() had not been called to the end
    held_.erase(0, held_.size() - unread_.size());
    held_.append(bytes);
    unread_ = held_;
}

bool ServerSession::wants_input() const {
    return !closed() && state_ != State::kTls && unread_.size() < kServerInputBytesMax;
}

// What was lent goes back to the owner; what of it is unread is copied.
void ServerSession::keep_rest() {
    if (!lent_) return;
    held_.assign(unread_);
    if (held_.capacity() > kServerOutputBytesMax && held_.empty()) std::string().swap(held_);
    unread_ = held_;
    lent_ = false;
}

void ServerSession::tls_started(Instant now) {
    CHECK(state_ == State::kTls);
    CHECK(unread_.empty());
    active_ = now;
    tls_ = true;
    esmtp_ = false;
    hello_name_.clear();
    state_ = State::kCommand;
}

void ServerSession::connection_lost() {
    output_.clear();
    hang_up();
}

void ServerSession::hang_up() {
    state_ = State::kClosed;
    unread_ = {};
    lent_ = false;
}

void ServerSession::deadline_passed(Instant now) {
    const auto due = deadline();
    if (!due || *due > now) return;
    if (output_.empty()) say("421 4.4.2 Timeout, closing connection\r\n");
    hang_up();
}

std::optional<Instant> ServerSession::deadline() const {
    const bool owners_turn = state_ == State::kAsked || state_ == State::kStart;
    if (closed() || (owners_turn && output_.empty())) return std::nullopt;
    return active_ + options_->idle_timeout;
}

void ServerSession::consume_output(std::size_t count, Instant now) {
    output_.consume(count);
    active_ = now;
}

std::string_view ServerSession::recipient(std::size_t index) const {
    CHECK(index < recipient_ends_.size());
    const std::size_t start = index == 0 ? 0 : recipient_ends_[index - 1];
    return std::string_view(recipient_text_).substr(start, recipient_ends_[index] - start);
}

std::optional<ServerSession::Event> ServerSession::next_event() {
    while (true) {
        if (closed()) {
            if (std::exchange(closed_told_, true)) return std::nullopt;
            return Closed{};
        }
        const State state = state_;
        const std::size_t unread = unread_.size();
        if (auto event = step()) return event;
        if (state_ == state && unread_.size() == unread) break;  // nothing moves any more
    }
    keep_rest();
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::step() {
    if (output_.size() >= kServerOutputBytesMax) return std::nullopt;
    switch (state_) {
        case State::kStart:
            return ask(Stage::kConnect, {});
        case State::kCommand:
            return read_command();
        case State::kBody:
            return read_body();
        case State::kChunk:
            return read_chunk();
        case State::kTls:
            if (std::exchange(tls_told_, true)) return std::nullopt;
            return TlsWanted{};
        case State::kAsked:
        case State::kClosed:
            return std::nullopt;
    }
    return std::nullopt;
}

ServerSession::Event ServerSession::ask(Stage stage, std::string_view argument, bool chunking) {
    argument_.assign(argument);
    asked_ = stage;
    state_ = State::kAsked;
    return Ask{stage, argument_, chunking};
}

void ServerSession::accept(Instant now) {
    switch (asked_) {
        case Stage::kConnect:
            return answer({220, {}, options_->host_name + " ESMTP"}, now);
        case Stage::kEhlo:
            return answer({250, {}, {}}, now);
        case Stage::kStartTls:
            return answer({220, {}, "2.0.0 Ready to start TLS"}, now);
        case Stage::kData:
            return answer({354, {}, "Go ahead"}, now);
        default:
            return answer({250, {}, "2.0.0 OK"}, now);
    }
}

void ServerSession::answer(const Reply& reply, Instant now, After after) {
    CHECK(state_ == State::kAsked);
    active_ = now;
    state_ = State::kCommand;
    answered(reply);
    if (after == After::kClose && !closed()) hang_up();
}

void ServerSession::answered(const Reply& reply) {
    const bool yes = reply.positive();
    switch (asked_) {
        case Stage::kConnect:
            connected_ = yes;
            break;
        case Stage::kEhlo:
            if (!yes) break;
            hello_name_ = argument_;
            esmtp_ = asked_esmtp_;
            if (reply.text.empty()) return say_hello();
            break;
        case Stage::kStartTls:
            if (reply.code != 220) break;
            if (!unread_.empty()) {  // commands slipped in front of the handshake
                say("554 5.5.1 Nothing may follow STARTTLS\r\n");
                return hang_up();
            }
            state_ = State::kTls;
            break;
        case Stage::kMail:
            in_mail_ = yes;
            if (!yes) break;
            sender_ = argument_;
            mail_parameters_ = asked_parameters_;
            break;
        case Stage::kRcpt:
            if (!yes) break;
            recipient_text_ += argument_;
            recipient_ends_.push_back(recipient_text_.size());
            break;
        case Stage::kData:
            begin_data(yes || reply.intermediate());
            if (chunked_ && !chunk_refused_) return;
            if (chunked_) return append_reply(refusal_, reply);
            break;
        default:
            end_transaction();
    }
    append_reply(output_.tail(), reply);
}

void ServerSession::say_hello() {
    std::string& out = output_.tail();
    if (!esmtp_) {
        out += "250 " + options_->host_name + "\r\n";
        return;
    }
    std::size_t last_line = out.size();
    out += "250-" + options_->host_name + "\r\n";
    for (const std::string& offer : options_->offers) {
        if (tls_ && equal_ignoring_case(offer, "STARTTLS")) continue;
        last_line = out.size();
        out += "250-" + offer + "\r\n";
    }
    out[last_line + 3] = ' ';
}

void ServerSession::end_transaction() {
    in_mail_ = false;
    chunked_ = false;
    sender_.clear();
    recipient_text_.clear();
    recipient_ends_.clear();
    mail_parameters_ = {};
    message_bytes_ = 0;
    before_ = '\n';
    dot_ = Dot::kNone;
    bare_ = false;
    too_large_ = false;
}

}  // namespace posthorn
