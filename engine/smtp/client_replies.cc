// What replies do to a client session: each answers the front of the queue.
#include <utility>

#include "engine/base/check.h"
#include "engine/smtp/client_session.h"

namespace posthorn {

namespace {

constexpr std::uint16_t kServiceClosing = 421;

}  // namespace

void ClientSession::reply_received(Instant now) {
    Reply& reply = parser_.reply();
    const bool quit_answered = awaited() > 0 && front().what == What::kQuit;
    const bool closing = reply.code == kServiceClosing && !quit_answered;
    if (awaited() == 0) {
        return fail(closing ? SessionEnd::kReply : SessionEnd::kUnexpectedReply, reply, closing);
    }
    const Awaited answered = front();
    if (answered.what == What::kAuth) withhold_secrets(reply);
    const bool negative = reply.transient() || reply.permanent();
    // A message may be refused before its end has been written, and then the session is over.
    const bool cut_short = early_ && answered.what == What::kDot && negative;
    if (early_ && !cut_short && !closing) return fail(SessionEnd::kUnexpectedReply, reply);
    if (early_ && closing && !cut_short) return fail(SessionEnd::kReply, reply, true);
    if (!makes_sense(answered.what, reply)) return fail(SessionEnd::kUnexpectedReply, reply);

    switch (answered.what) {
        case What::kMail:
            mail_reply(reply);
            break;
        case What::kRcpt:
            rcpt_reply(answered.recipient, reply);
            break;
        case What::kData:
            data_reply(reply, now);
            break;
        case What::kDot:
            if (!dot_reply(reply)) return fail(SessionEnd::kUnexpectedReply, reply);
            go_deeper(now);
            break;
        default:
            break;
    }
    if (closing || cut_short) return fail(SessionEnd::kReply, reply, true);
    pop_front();
    waiting_since_ = now;
    if (!of_transaction(answered.what)) session_reply(answered.what, reply, now);
    if (closed()) return;
    retire(now);
    write_more(now);
}

bool ClientSession::of_transaction(What what) {
    return what == What::kMail || what == What::kRcpt || what == What::kData ||
           what == What::kDot || what == What::kLoneDot;
}

bool ClientSession::makes_sense(What what, const Reply& reply) {
    if (what == What::kAuth) return true;
    return what == What::kData ? !reply.positive() : !reply.intermediate();
}

void ClientSession::pop_front() {
    const bool owed = of_transaction(front().what);
    if (owed) --flight(0).replies_owed;
    if (++awaited_front_ == awaited_.size()) {
        awaited_.clear();
        awaited_front_ = 0;
    } else if (awaited_front_ > kRecipientsMax) {
        awaited_.erase(awaited_.begin(),
                       awaited_.begin() + static_cast<std::ptrdiff_t>(awaited_front_));
        awaited_front_ = 0;
    }
}

void ClientSession::session_reply(What what, const Reply& reply, Instant now) {
    switch (what) {
        case What::kGreeting:
            if (!reply.positive()) return fail_at(Stage::kConnect, reply);
            return write("EHLO " + options_->ehlo_name + "\r\n", What::kEhlo, now);
        case What::kEhlo:
            if (reply.code == 500 || reply.code == 502 || reply.code == 504)
                return write("HELO " + options_->ehlo_name + "\r\n", What::kHelo, now);
            if (!reply.positive()) return fail_at(Stage::kEhlo, reply);
            capabilities_ = parse_capabilities(reply);
            return hello_done(now);
        case What::kHelo:
            if (!reply.positive()) return fail_at(Stage::kEhlo, reply);
            capabilities_ = {};
            return hello_done(now);
        case What::kStartTls:
            if (reply.code == 220) {
                state_ = State::kTlsWanted;
                return tell(client::TlsWanted{});
            }
            if (reply.positive() || options_->starttls == StartTls::kRequired)
                return fail_at(Stage::kStartTls, reply);
            return introduced(now);
        case What::kAuth:
            return auth_reply(reply, now);
        case What::kRset:
            if (!reply.positive()) return fail_at(Stage::kMail, reply);
            return;
        case What::kQuit:
            return close(false);
        default:
            CHECK(of_transaction(what));
    }
}

void ClientSession::hello_done(Instant now) {
    const bool wanted = !tls_ && options_->starttls != StartTls::kNever;
    if (wanted && capabilities_.starttls) return write("STARTTLS\r\n", What::kStartTls, now);
    if (wanted && options_->starttls == StartTls::kRequired) {
        tell(client::Failed{Stage::kStartTls, SessionEnd::kTlsNotOffered, {}});
        return close(false);
    }
    introduced(now);
}

// Each side knows the other by name, and what was to be encrypted is.
void ClientSession::introduced(Instant now) {
    if (options_->login) return begin_auth(now);
    become_ready();
}

void ClientSession::become_ready() {
    state_ = State::kReady;
    tell(client::Ready{});
}

void ClientSession::fail_at(Stage stage, const Reply& reply) {
    tell(client::Failed{stage, SessionEnd::kReply, reply});
    close(false);
}

void ClientSession::mail_reply(const Reply& reply) {
    if (reply.positive()) {
        flight(0).mail_accepted = true;
    } else {
        envelope_refused(Stage::kMail, reply);
    }
}

void ClientSession::rcpt_reply(std::uint32_t recipient, const Reply& reply) {
    InFlight& slot = flight(0);
    ++slot.recipients_answered;
    // Where MAIL was refused, that speaks for all.
    if (slot.phase == Phase::kOver || slot.refused_at == Stage::kMail) return;
    if (reply.positive()) {
        ++slot.recipients_accepted;
        return tell(client::RecipientAccepted{slot.id, recipient});
    }
    tell(client::RecipientRefused{slot.id, recipient, reply, false});
    const bool last = slot.recipients_answered == slot.recipients.size();
    if (last && slot.recipients_accepted == 0) envelope_refused(Stage::kRcpt, reply);
}

void ClientSession::data_reply(const Reply& reply, Instant now) {
    InFlight& slot = flight(0);
    if (reply.intermediate() && slot.phase == Phase::kOver) {  // RFC 2920 section 3.1
        slot.dot_written = true;
        ++slot.replies_owed;
        write(".\r\n", What::kLoneDot, now);
    } else if (reply.intermediate()) {
        slot.phase = Phase::kMessageWanted;
        tell(client::MessageWanted{slot.id});
    } else if (slot.phase != Phase::kOver) {
        finish(Stage::kData, reply);
    }
}

// False: the peer takes a message whose envelope it refused. One of its replies is not what it
// seems, and what became of the message is not known.
bool ClientSession::dot_reply(const Reply& reply) {
    InFlight& slot = flight(0);
    if (slot.phase == Phase::kOver) return true;
    if (slot.refused_at == Stage::kNone) {
        finish(Stage::kDot, reply);
    } else if (reply.positive()) {
        slot.refused_at = Stage::kNone;
        return false;
    } else {
        finish(slot.refused_at, slot.refusal);
    }
    return true;
}

// In chunks the message may be on its way when the envelope is refused; it is over when the peer
// has answered that as well.
void ClientSession::envelope_refused(Stage stage, const Reply& reply) {
    InFlight& slot = flight(0);
    if (slot.phase != Phase::kMessageWritten) return finish(stage, reply);
    slot.refused_at = stage;
    slot.refusal = reply;
}

void ClientSession::finish(Stage stage, const Reply& reply) {
    InFlight& slot = flight(0);
    CHECK(slot.phase != Phase::kOver);
    slot.phase = Phase::kOver;
    tell(client::TransactionFinished{slot.id, stage, reply, false});
}

// Lets go of a transaction to which the peer owes nothing more, and has the peer forget what it
// would still remember of it.
void ClientSession::retire(Instant now) {
    if (in_flight_ == 0 || flight(0).phase != Phase::kOver || flight(0).replies_owed > 0) return;
    const bool remembered = flight(0).mail_accepted && !flight(0).dot_written;
    first_slot_ = (first_slot_ + 1) % slots_.size();
    --in_flight_;
    if (remembered) write("RSET\r\n", What::kRset, now);
}

}  // namespace posthorn
