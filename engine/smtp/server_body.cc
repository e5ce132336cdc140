// How a server session reads messages: DATA up to CRLF.CRLF, BDAT by count.
#include <algorithm>

#include "engine/smtp/line_scan.h"
#include "engine/smtp/server_session.h"

namespace posthorn {

void ServerSession::begin_data(bool accepted) {
    if (chunked_) {
        chunk_refused_ = !accepted;
        state_ = State::kChunk;
    } else if (accepted) {
        state_ = State::kBody;
    }
}

// The front of unread_ is text of the message: counted, and given to the owner unless the message
// will be refused anyway.
std::optional<ServerSession::Event> ServerSession::take_text(std::size_t count) {
    const std::string_view text = unread_.substr(0, count);
    take(count);
    before_ = text.back();
    message_bytes_ += count;
    if (offered_.size_max && message_bytes_ > *offered_.size_max) too_large_ = true;
    if (discarding()) return std::nullopt;
    return Body{text};
}

std::optional<ServerSession::Event> ServerSession::read_body() {
    while (!unread_.empty()) {
        if (dot_ != Dot::kNone) {
            step_over_dot();
            if (state_ != State::kBody) return end_message();
            continue;
        }
        const std::size_t plain = find_odd_octet(unread_, before_);
        if (plain > 0) {
            if (auto event = take_text(plain)) return event;
            continue;
        }
        const char odd = unread_.front();
        take(1);
        if (odd == '.' && before_ == '\n') {
            dot_ = Dot::kSeen;
            continue;
        }
        bare_ = true;
        before_ = odd == '\n' ? ' ' : odd;  // a dot after a bare LF does not start a line
    }
    return std::nullopt;
}

// A dot has been seen at the start of a line, and perhaps CR after it. Without CRLF behind it was
// stuffing, and is left out.
void ServerSession::step_over_dot() {
    const char next = unread_.front();
    if (dot_ == Dot::kSeen && next == '\r') {
        dot_ = Dot::kSeenWithCr;
        take(1);
    } else if (dot_ == Dot::kSeenWithCr && next == '\n') {
        dot_ = Dot::kNone;
        take(1);
        state_ = State::kCommand;
    } else {
        before_ = dot_ == Dot::kSeen ? '.' : '\r';  // the latter makes next an odd octet
        dot_ = Dot::kNone;
    }
}

std::optional<ServerSession::Event> ServerSession::read_chunk() {
    while (chunk_left_ > 0 && !unread_.empty()) {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, unread_.size()));
        const std::string_view text = unread_.substr(0, count);
        for (std::size_t at = 0; at < count && !discarding(); ++at) {
            at += find_odd_octet(text.substr(at), at == 0 ? before_ : text[at - 1]);
            if (at < count && text[at] != '.') bare_ = true;
        }
        chunk_left_ -= count;
        if (auto event = take_text(count)) return event;
    }
    if (chunk_left_ > 0) return std::nullopt;
    state_ = State::kCommand;
    if (chunk_refused_) {
        say(refusal_);
        chunk_refused_ = false;
        end_transaction();
        return std::nullopt;
    }
    if (last_chunk_ || too_large_) return end_message();
    say("250 2.0.0 Chunk received\r\n");
    return std::nullopt;
}

// All octets of a message have been read.
std::optional<ServerSession::Event> ServerSession::end_message() {
    if (before_ == '\r') bare_ = true;
    if (!bare_ && !too_large_) return ask(Stage::kDot, {}, chunked_);
    say(bare_ ? "554 5.6.0 Message has CR or LF outside of CRLF\r\n"
              : "552 5.3.4 Message too large\r\n");
    end_transaction();
    return Dropped{};
}

}  // namespace posthorn
