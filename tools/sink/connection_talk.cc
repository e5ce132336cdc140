// What is said on a connection: questions to the policy, faults, replies, and accepted messages.
#include <cstdio>
#include <fstream>
#include <utility>

#include "tools/sink/connection.h"

namespace posthorn::sink {

namespace {

constexpr std::string_view kGarbage = "\x16\x03 -- this line is no reply --\r\n";
constexpr std::string_view kUnasked = "250 2.0.0 And one reply more\r\n";
constexpr std::string_view kTooEarly = "250 2.0.0 OK\r\n";
constexpr std::string_view kNoHandshake = "421 TLS is broken here\r\n";

const Reply kSaidTooSoon{451, EnhancedCode{4, 3, 0}, "Not accepted, whatever was said before"};

Place place_of(Stage stage) {
    switch (stage) {
        case Stage::kEhlo:
            return Place::kEhlo;
        case Stage::kStartTls:
            return Place::kStartTls;
        case Stage::kMail:
            return Place::kMail;
        case Stage::kRcpt:
            return Place::kRcpt;
        case Stage::kData:
            return Place::kData;
        case Stage::kDot:
            return Place::kDot;
        default:
            return Place::kConnect;
    }
}

std::uint16_t usual_code(Place place, bool chunking) {
    switch (place) {
        case Place::kConnect:
        case Place::kStartTls:
            return 220;
        case Place::kData:
            return chunking ? 250 : 354;
        default:
            return 250;
    }
}

void fill(std::string& text, std::string_view hole, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(hole, at)) != std::string::npos; at += with.size())
        text.replace(at, hole.size(), with);
}

}  // namespace

void Connection::drain_events() {
    while (!handles_closing_) {
        const auto event = session_->next_event();
        if (!event) return;
        if (const auto* ask = std::get_if<ServerSession::Ask>(&*event)) {
            on_ask(*ask);
        } else if (const auto* body = std::get_if<ServerSession::Body>(&*event)) {
            on_body(body->bytes);
        } else if (std::holds_alternative<ServerSession::TlsWanted>(*event)) {
            on_tls_wanted();
        } else if (std::holds_alternative<ServerSession::Closed>(*event)) {
            if (!stalled_) hang_up();
        }
    }
}

void Connection::on_ask(const ServerSession::Ask& ask) {
    place_ = place_of(ask.stage);
    if (place_ == Place::kData) {
        body_begun_ = early_in_body_ = false;
        scan_.restart();
        message_.clear();
    }
    decision_ = world_.policy.asked(talk_, place_, ask.argument, now_.instant);
    if (place_ == Place::kDot && early_in_body_) decision_.reply = &kSaidTooSoon;
    silent_ = ask.chunking && place_ == Place::kData;
    filled_.reset();
    if (decision_.has_holes) {
        filled_ = *decision_.reply;
        fill(filled_->text, "{recipient}", ask.argument);
        fill(filled_->text, "{host}", talk_.host->name);
        fill(filled_->text, "{domain}", talk_.domain ? talk_.domain->name : "");
        decision_.reply = &*filled_;
    }
    if (decision_.delay == Duration(0) || (silent_ && decision_.positive())) return reply();
    reply_due_ = now_.instant + decision_.delay;
}

// Faults that stand in place of a reply.
bool Connection::replaced_by_fault() {
    if (!decision_.fault) return false;
    switch (decision_.fault->kind) {
        case FaultKind::kReset:
            take_output();  // of the replies before
            reset();
            return true;
        case FaultKind::kClose:
            session_->hang_up();
            return true;
        case FaultKind::kStall:
            stall();
            return true;
        default:
            return false;
    }
}

// The last question is answered, now.
void Connection::reply() {
    if (replaced_by_fault()) return;
    const FaultKind* fault = decision_.fault ? &decision_.fault->kind : nullptr;
    if (place_ == Place::kDot && decision_.positive()) {
        accept_message();
        if (fault && *fault == FaultKind::kAfterDot) return session_->hang_up();
    }
    if (fault && *fault == FaultKind::kGarbage) session_->say(kGarbage);
    if (fault && *fault == FaultKind::kDrip) drip_ = decision_.fault->delay;
    if (!silent_ || !decision_.positive())
        world_.tally.replied(place_,
                             decision_.reply ? decision_.reply->code : usual_code(place_, silent_));
    const bool swallowed = std::exchange(swallow_next_reply_, false);
    if (swallowed) take_output();
    if (decision_.reply)
        session_->answer(
            *decision_.reply, now_.instant,
            decision_.close ? ServerSession::After::kClose : ServerSession::After::kGoOn);
    else
        session_->accept(now_.instant);
    if (swallowed) session_->consume_output(session_->output().size(), now_.instant);
    if (session_->closed()) return;
    if (fault && *fault == FaultKind::kExtra) session_->say(kUnasked);
    if (fault && *fault == FaultKind::kEarly) {
        session_->say(kTooEarly);
        swallow_next_reply_ = true;
    }
}

void Connection::on_body(std::string_view bytes) {
    scan_.feed(bytes);
    if (!world_.save_folder.empty()) message_ += bytes;
    if (std::exchange(body_begun_, true)) return;
    if (const Fault* fault = world_.policy.body_begun(talk_)) on_body_fault(*fault);
}

void Connection::on_body_fault(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::kReset:
            return reset();
        case FaultKind::kStall:
            return stall();
        case FaultKind::kTarpit:
        case FaultKind::kDrip:  // in this direction there is nothing to drip but acknowledgements
            read_again_ = now_.instant + fault.delay;
            return;
        case FaultKind::kGarbage:
            return session_->say(kGarbage);
        case FaultKind::kExtra:
            return session_->say(kUnasked);
        case FaultKind::kEarly:
            early_in_body_ = true;
            return session_->say(kTooEarly);
        default:
            return session_->hang_up();
    }
}

void Connection::on_tls_wanted() {
    take_output();
    const TlsMode mode = talk_.host->entry->tls;
    if (mode == TlsMode::kBroken || mode == TlsMode::kOff) {
        session_->say(kNoHandshake);
        return session_->hang_up();
    }
    auto channel =
        TlsChannel::server(world_.tls, world_.certificates.identity(mode, talk_.host->name));
    if (!channel) {
        std::fprintf(stderr, "posthorn-sink: %s\n", channel.error().message.c_str());
        return session_->hang_up();
    }
    tls_ = std::move(*channel);
}

// The reply to end of data will be positive: into the books before a byte of it can leave.
void Connection::accept_message() {
    const std::uint64_t bytes = session_->message_bytes();
    world_.tally.message(bytes);
    world_.policy.message_accepted(talk_);
    for (std::size_t i = 0; i < session_->recipients(); ++i) {
        const std::string_view recipient = session_->recipient(i);
        world_.tally.accepted(recipient, scan_.message_id());
        world_.policy.recipient_accepted(talk_, recipient);
        world_.ledger.add({now_.wall, recipient, session_->sender(), scan_.message_id(), bytes,
                           number_, session_->tls()});
    }
    if (!world_.save_folder.empty()) save_message();
}

void Connection::save_message() {
    const std::string path = world_.save_folder + "/" + std::to_string(number_) + "-" +
                             std::to_string(++messages_saved_) + ".eml";
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << message_;
    file.close();
    if (!file) std::fprintf(stderr, "posthorn-sink: %s cannot be written\n", path.c_str());
}

}  // namespace posthorn::sink
