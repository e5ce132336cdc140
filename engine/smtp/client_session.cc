// A client session's inputs, time and end. What replies do is in client_replies.cc, what is written
// in client_commands.cc.
#include "engine/smtp/client_session.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/smtp/path.h"

namespace posthorn {

std::string_view name_of(SessionEnd why) {
    switch (why) {
        case SessionEnd::kReply:
            return "reply";
        case SessionEnd::kTimeout:
            return "timeout";
        case SessionEnd::kConnectionLost:
            return "connection_lost";
        case SessionEnd::kNotAReply:
            return "not_a_reply";
        case SessionEnd::kUnexpectedReply:
            return "unexpected_reply";
        case SessionEnd::kTlsNotOffered:
            return "tls_not_offered";
        case SessionEnd::kTlsFailed:
            return "tls_failed";
        case SessionEnd::kAuthWithoutTls:
            return "auth_without_tls";
        case SessionEnd::kAuthNotOffered:
            return "auth_not_offered";
        case SessionEnd::kAuthBroken:
            return "auth_broken";
    }
    return "";
}

ClientSession::ClientSession(std::shared_ptr<const ClientOptions> options, Instant now, bool tls)
    : options_(std::move(options)), tls_(tls), opened_(now), waiting_since_(now), progress_(now) {
    CHECK(plausible_hello_name(options_->ehlo_name));
    awaited_.push_back({What::kGreeting, 0, 0});
    check_turn();
}

void ClientSession::bytes_received(std::string_view bytes, Instant now) {
    while (!bytes.empty() && !closed()) {
        if (state_ == State::kTlsWanted) {  // said in the clear, read behind the handshake: never
            fail(SessionEnd::kUnexpectedReply);
            break;
        }
        if (parser_.between_replies()) early_ = awaited() == 0 || front().written_end > written_;
        const ReplyParser::State state = parser_.parse(bytes);
        if (state == ReplyParser::State::kIncomplete) break;
        if (state == ReplyParser::State::kBroken) {
            fail(SessionEnd::kNotAReply);
            break;
        }
        reply_received(now);
    }
    check_turn();
}

void ClientSession::bytes_written(std::size_t count, Instant now) {
    if (closed() || count == 0) return;
    output_.consume(count);
    written_ += count;
    if (written_ - progressed_at_ >= kWriteProgressBytes || output_.empty()) {
        progressed_at_ = written_;
        progress_ = now;
    }
    if (output_.empty()) waiting_since_ = now;
    check_turn();
}

void ClientSession::tls_started(Instant now) {
    if (closed()) return;
    CHECK(state_ == State::kTlsWanted);
    tls_ = true;
    capabilities_ = {};
    state_ = State::kOpening;
    waiting_since_ = now;
    write("EHLO " + options_->ehlo_name + "\r\n", What::kEhlo, now);
    check_turn();
}

void ClientSession::tls_failed(Instant) {
    if (closed()) return;
    CHECK(state_ == State::kTlsWanted);
    fail(SessionEnd::kTlsFailed);
}

void ClientSession::connection_lost(Instant) {
    if (closed()) return;
    const bool expected = quitting_ && in_flight_ == 0;
    if (expected) {
        close(false);
    } else {
        fail(SessionEnd::kConnectionLost);
    }
}

void ClientSession::deadline_passed(Instant now) {
    if (closed()) return;
    aged_ |= now >= opened_ + options_->timeouts.session_start;
    const bool too_old = now >= opened_ + options_->timeouts.session;
    const auto due = step_deadline();
    if (!too_old && (!due || *due > now)) return;
    if (idle() && !quitting_) {
        quit(now);
    } else if (quitting_ && in_flight_ == 0) {
        close(false);
    } else {
        fail(SessionEnd::kTimeout);
    }
    check_turn();
}

void ClientSession::quit(Instant now) {
    if (closed() || quitting_) return;
    quitting_ = true;
    if (state_ != State::kReady) {
        close(false);
    } else {
        write_more(now);
    }
    check_turn();
}

void ClientSession::abort(Instant) {
    if (!closed()) close(false);
}

void ClientSession::fail(SessionEnd why, const Reply& reply, bool after_421) {
    tell(client::Failed{stage(), why, reply});
    close(after_421);
}

// A message behind a 421 has not been attempted, even if all of it had been written.
void ClientSession::close(bool after_421) {
    for (std::size_t i = 0; i < in_flight_; ++i) {
        const InFlight& slot = flight(i);
        if (slot.phase == Phase::kOver) continue;
        if (slot.refused_at != Stage::kNone) {
            tell(client::TransactionFinished{slot.id, slot.refused_at, slot.refusal, false});
            continue;
        }
        const bool complete = slot.phase == Phase::kMessageWritten && slot.data_end <= written_;
        if (complete && !after_421) {
            tell(client::Uncertain{slot.id});
        } else {
            tell(client::Returned{slot.id});
        }
    }
    in_flight_ = 0;
    output_.clear();
    state_ = State::kClosed;
    tell(client::Closed{});
}

std::optional<ClientEvent> ClientSession::next_event() {
    if (events_front_ == events_.size()) {
        events_.clear();
        events_front_ = 0;
        return std::nullopt;
    }
    return std::move(events_[events_front_++]);
}

std::optional<Instant> ClientSession::deadline() const {
    if (closed()) return std::nullopt;
    const ClientTimeouts& timeouts = options_->timeouts;
    const Instant end = opened_ + (aged_ ? timeouts.session : timeouts.session_start);
    return std::min(end, step_deadline().value_or(end));
}

// Of what is waited for at present; none while it is the owner's turn.
std::optional<Instant> ClientSession::step_deadline() const {
    if (closed()) return std::nullopt;
    const ClientTimeouts& timeouts = options_->timeouts;
    if (!output_.empty()) return progress_ + timeouts.data_block;
    if (awaited() > 0) return waiting_since_ + timeout_of(front().what);
    if (idle()) return waiting_since_ + timeouts.idle;
    return std::nullopt;
}

Duration ClientSession::timeout_of(What what) const {
    const ClientTimeouts& timeouts = options_->timeouts;
    switch (what) {
        case What::kGreeting:
            return timeouts.greeting;
        case What::kEhlo:
        case What::kHelo:
            return timeouts.ehlo;
        case What::kStartTls:
            return timeouts.starttls;
        case What::kAuth:
            return timeouts.auth;
        case What::kMail:
        case What::kRset:
            return timeouts.mail;
        case What::kRcpt:
            return timeouts.rcpt;
        case What::kData:
            return timeouts.data_start;
        case What::kDot:
        case What::kLoneDot:
            return timeouts.data_end;
        case What::kQuit:
            return timeouts.quit;
    }
    return timeouts.mail;
}

Stage ClientSession::stage() const {
    if (state_ == State::kTlsWanted) return Stage::kStartTls;
    if (awaited() == 0) return in_flight_ > 0 ? Stage::kData : Stage::kNone;
    switch (front().what) {
        case What::kGreeting:
            return Stage::kConnect;
        case What::kEhlo:
        case What::kHelo:
            return Stage::kEhlo;
        case What::kStartTls:
            return Stage::kStartTls;
        case What::kAuth:
            return Stage::kAuth;
        case What::kMail:
        case What::kRset:
            return Stage::kMail;
        case What::kRcpt:
            return Stage::kRcpt;
        case What::kData:
            return Stage::kData;
        case What::kDot:
        case What::kLoneDot:
            return Stage::kDot;
        case What::kQuit:
            return Stage::kQuit;
    }
    return Stage::kNone;
}

std::string_view ClientSession::phrase() const {
    if (closed()) return "closed";
    if (state_ == State::kTlsWanted) return "starting TLS";
    if (awaited() == 0) return in_flight_ > 0 ? "ready to send the message" : "idle";
    switch (front().what) {
        case What::kGreeting:
            return "waiting for the greeting";
        case What::kEhlo:
            return "waiting for the reply to EHLO";
        case What::kHelo:
            return "waiting for the reply to HELO";
        case What::kStartTls:
            return "waiting for the reply to STARTTLS";
        case What::kAuth:
            return "waiting for the reply to AUTH";
        case What::kMail:
            return "waiting for the reply to MAIL FROM";
        case What::kRcpt:
            return "waiting for the reply to RCPT TO";
        case What::kData:
            return "waiting for the reply to DATA";
        case What::kDot:
            return front().written_end > written_ ? "sending the message"
                                                  : "waiting for the reply to the end of data";
        case What::kLoneDot:
            return "waiting for the reply to an empty message";
        case What::kRset:
            return "waiting for the reply to RSET";
        case What::kQuit:
            return "waiting for the reply to QUIT";
    }
    return "";
}

Rung ClientSession::rung() const {
    if (!capabilities_.pipelining) return Rung::kLockstep;
    const Rung best = capabilities_.chunking ? Rung::kChunkingAhead : Rung::kNextBehindDot;
    return std::min(best, options_->max_rung);
}

const ClientSession::InFlight* ClientSession::wanting_message() const {
    for (std::size_t i = 0; i < in_flight_; ++i)
        if (flight(i).phase == Phase::kMessageWanted) return &flight(i);
    return nullptr;
}

void ClientSession::check_turn() const {
    const bool owners_turn = state_ == State::kTlsWanted || wanting_message() != nullptr;
    CHECK(closed() || step_deadline() || owners_turn);
}

ClientSession::InFlight& ClientSession::flight(std::size_t position) {
    return slots_[(first_slot_ + position) % slots_.size()];
}

const ClientSession::InFlight& ClientSession::flight(std::size_t position) const {
    return slots_[(first_slot_ + position) % slots_.size()];
}

}  // namespace posthorn
