#include "tests/sim/connection.h"

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn::sim {

Connection::Connection(Scene& scene, Receiver& receiver, Client& client, SlotId slot)
    : scene_(scene), receiver_(receiver), client_(&client), slot_(slot), life_(scene.life) {}

Connection::~Connection() { settle_accounts(); }

void Connection::after_latency(Instant& last, std::function<void()> action) {
    const WireKnobs& wire = scene_.knobs.wire;
    const Duration latency = wire.latency_min + scene_.drawn(wire.latency_max - wire.latency_min);
    last = std::max(last, scene_.agenda.now().instant + latency);
    scene_.agenda.at(last, [self = shared_from_this(), action = std::move(action)] { action(); });
}

void Connection::open() {
    const Receiver::Door door = receiver_.door();
    if (door == Receiver::Door::kHangs) {
        server_over_ = true;
        return;
    }
    after_latency(last_to_client_, [this, door] {
        if (door == Receiver::Door::kRefused) {
            finish_server("connection refused");
            return;
        }
        if (client_ == nullptr) {
            server_over_ = true;
            return;
        }
        scene_.note("connected", slot_, life_, receiver_.knobs().name);
        receiver_.connected();
        session_.emplace(receiver_.options(), scene_.agenda.now().instant);
        client_->connected(slot_);
        drain();
        take_output();
    });
}

std::size_t Connection::write(std::string_view bytes) {
    const std::size_t room =
        scene_.knobs.wire.buffer_bytes - std::min(unread_, scene_.knobs.wire.buffer_bytes);
    const std::size_t count = std::min(room, bytes.size());
    client_waits_ = count < bytes.size();
    if (count == 0) return 0;
    unread_ += count;
    scene_.note("write", slot_, count, bytes.substr(0, count));
    std::size_t first = count;
    if (scene_.chaos && scene_.random.chance(scene_.knobs.wire.split)) {
        scene_.coverage.met("fault split");
        first = scene_.random.below(count) + 1;
    }
    for (const std::string_view part : {bytes.substr(0, first), bytes.substr(first, count - first)})
        if (!part.empty())
            after_latency(last_to_server_,
                          [this, copy = std::string(part)] { arrive(std::move(copy)); });
    return count;
}

void Connection::close() {
    if (client_ == nullptr) return;
    client_ = nullptr;
    scene_.note("client closes", slot_, life_);
    after_latency(last_to_server_, [this] { end_of_input(); });
}

void Connection::arrive(std::string bytes) {
    if (broken_ || server_over_) return;
    if (scene_.chaos && scene_.random.chance(scene_.knobs.wire.reset)) {
        scene_.coverage.met("fault reset");
        reset();
        return;
    }
    inbox_ += bytes;
    feed();
}

void Connection::feed() {
    while (!inbox_.empty() && session_ && session_->wants_input() && !silent_ && !broken_) {
        const std::string bytes = std::exchange(inbox_, {});
        unread_ -= std::min(unread_, bytes.size());
        session_->bytes_received(remembered(bytes), scene_.agenda.now().instant);
        drain();
    }
    take_output();
    if (!client_waits_ || unread_ >= scene_.knobs.wire.buffer_bytes / 2) return;
    client_waits_ = false;
    after_latency(last_to_client_, [this] {
        if (client_ != nullptr && !broken_) client_->writable(slot_);
    });
}

// Of what arrived at once, one that lies about pipelining keeps the first command only.
std::string_view Connection::remembered(std::string_view bytes) {
    if (!receiver_.forgets_pipelined() || in_body_) return bytes;
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos || end + 2 == bytes.size()) return bytes;
    scene_.coverage.met(name_of(Mood::kLiesAboutPipelining));
    return bytes.substr(0, end + 2);
}

void Connection::tls_wanted() {
    handshake_ = receiver_.handshake();
    if (*handshake_ != TlsMood::kTalksEarly) return;
    constexpr std::string_view kInTheClear = "250 2.0.0 in the clear\r\n";
    if (scene_.random.chance(0.5)) return session_->say(kInTheClear);  // with the 220
    take_output();
    say(std::string(kInTheClear));
}

void Connection::start_tls(const TlsPolicy& policy) {
    const bool verify = policy.mode == TlsMode::kVerify;
    after_latency(last_to_server_, [this, verify] { hello_arrived(verify); });
}

void Connection::hello_arrived(bool verify) {
    if (broken_ || server_over_ || !session_) return;
    if (!handshake_) return finish_server("a handshake that nobody expects");
    if (*handshake_ == TlsMood::kHangs) {
        silent_ = true;
        return;
    }
    if (*handshake_ == TlsMood::kBreaks && scene_.random.chance(0.5))
        return finish_server("closed in the handshake");
    const bool untrusted = *handshake_ == TlsMood::kUntrusted;
    if (*handshake_ == TlsMood::kBreaks || (untrusted && verify)) {
        const TlsResult result =
            untrusted ? TlsResult::kCertificateNotTrusted : TlsResult::kValidationFailure;
        after_latency(last_to_client_, [this, result] {
            if (client_ != nullptr && !broken_) client_->tls_failed(slot_, result);
        });
        return;
    }
    encrypted_ = true;
    proved_ = !untrusted;
    session_->tls_started(scene_.agenda.now().instant);
    after_latency(last_to_client_, [this] {
        if (client_ != nullptr && !broken_) client_->tls_started(slot_, proved_);
    });
    feed();
}

// On the receiver's side of the wire: what mail came by which channel.
void Connection::check_tls_policy() {
    const TlsMode mode = scene_.knobs.limits.tls;
    const bool demanded = mode == TlsMode::kRequired || mode == TlsMode::kVerify;
    if (demanded && !encrypted_) scene_.books.fail('h', "mail in the clear");
    if (!encrypted_ && receiver_.knobs().tls == TlsMood::kNotOffered)
        scene_.coverage.met(name_of(TlsMood::kNotOffered));
    if (mode == TlsMode::kVerify && !proved_)
        scene_.books.fail('h', "mail for a host that proved nothing");
    if (handshake_ && !encrypted_) scene_.books.fail('h', "mail instead of a handshake");
    if (encrypted_ && *handshake_ == TlsMood::kTalksEarly)
        scene_.books.fail('h', "mail behind words in the clear");
}

void Connection::drain() {
    while (!broken_ && !server_over_) {
        const auto event = session_->next_event();
        if (!event) break;
        if (const auto* ask = std::get_if<ServerSession::Ask>(&*event)) {
            asked(*ask);
        } else if (const auto* body = std::get_if<ServerSession::Body>(&*event)) {
            message_ += body->bytes;
            (void)scene_.passed(CrashPoint::kInMessage);
            if (receiver_.resets_now()) return reset();
        } else if (std::holds_alternative<ServerSession::TlsWanted>(*event)) {
            tls_wanted();
        } else if (std::holds_alternative<ServerSession::Dropped>(*event)) {
            message_.clear();
            in_body_ = false;
        } else if (std::holds_alternative<ServerSession::Closed>(*event)) {
            take_output();
            finish_server("closed by the peer");
        }
    }
    watch_deadline();
}

void Connection::asked(const ServerSession::Ask& ask) {
    dealt_with(ask);
    const Stage stage = ask.stage;
    const bool chunking = ask.chunking;
    const Decision decision = receiver_.decide(stage, visit_);
    if (!decision.before.empty()) {
        poisoned_ = true;
        lied_ |= decision.before.front() == '2';
        if (lied_) scene_.books.lied(receiver_.knobs().name);
        session_->say(decision.before);
    }
    if (decision.then == Decision::Then::kSilence) {
        silent_ = true;
        return;
    }
    if (decision.wait == Duration(0)) return answer(stage, chunking, decision);
    take_output();
    scene_.agenda.after(decision.wait, [self = shared_from_this(), stage, chunking, decision] {
        if (self->broken_ || self->server_over_ || !self->session_->asked()) return;
        self->answer(stage, chunking, decision);
        self->drain();
        self->feed();
    });
}

// Who is meant, for the books.
void Connection::dealt_with(const ServerSession::Ask& ask) {
    if (ask.stage == Stage::kEhlo) ++visit_.greetings;
    if (ask.stage == Stage::kMail) check_tls_policy();
    if (ask.stage == Stage::kRcpt) {
        visit_.truth = scene_.books.find(session_->sender(), ask.argument);
        if (visit_.truth == nullptr) return scene_.books.fail('a', "a stranger is named in RCPT");
        scene_.note("rcpt", slot_, visit_.truth->address, ask.argument);
        scene_.books.recipient_named(*visit_.truth, watched() && !lied_);
        scene_.limits.message_on_session(++visit_.named);
    }
    if (ask.stage == Stage::kData) message_.clear();
    if (ask.stage != Stage::kDot) return;
    in_body_ = false;
    if (visit_.truth != nullptr)
        scene_.books.message_complete(*visit_.truth, message_, watched() && !lied_);
    (void)scene_.passed(CrashPoint::kAfterDot);
}

void Connection::answer(Stage stage, bool chunking, const Decision& decision) {
    const Instant now = scene_.agenda.now().instant;
    const bool told = decision.then != Decision::Then::kDrop;
    const bool positive = !decision.reply || decision.reply->positive();
    answered(stage, chunking, positive, decision.reply ? decision.reply->code : std::uint16_t{250},
             told);
    if (!told) {
        session_->hang_up();
        finish_server("closed by the peer");
        return;
    }
    const auto after = decision.then == Decision::Then::kClose ? ServerSession::After::kClose
                                                               : ServerSession::After::kGoOn;
    if (decision.reply) {
        session_->answer(*decision.reply, now, after);
    } else {
        session_->accept(now);
    }
    if (stage == Stage::kData && positive && !chunking) in_body_ = true;
    take_output();
    if (stage == Stage::kDot && positive) acceptances_.back().reply_end = said_;
}

void Connection::answered(Stage stage, bool chunking, bool positive, std::uint16_t code,
                          bool told) {
    if (stage == Stage::kDot) ++visit_.messages;
    Truth* truth = visit_.truth;
    if (truth == nullptr) return;
    if (stage == Stage::kDot && positive) {
        scene_.note("accepted", slot_, truth->address);
        scene_.books.accepted(*truth, lied_);
        acceptances_.push_back({truth, UINT64_MAX});
    }
    if (stage == Stage::kData && chunking) stage = Stage::kDot;  // one answer for both
    if (told && (stage == Stage::kRcpt || stage == Stage::kData || stage == Stage::kDot))
        scene_.books.said(*truth, stage, code);
}

void Connection::take_output() {
    if (!session_ || session_->output().empty()) return;
    std::string bytes(session_->output());
    session_->consume_output(bytes.size(), scene_.agenda.now().instant);
    spoken_for_itself(bytes);
    say(std::move(bytes));
}

// What the session answers without asking: errors of syntax and order, a message that breaks the
// rules.
void Connection::spoken_for_itself(std::string_view bytes) {
    if (visit_.truth == nullptr) return;
    for (const auto& [line, code] : {std::pair("500 5", 500),
                                     {"501 5", 501},
                                     {"503 5", 503},
                                     {"554 5.5", 554},
                                     {"552 5.3.4", 552},
                                     {"554 5.6.0", 554}})
        if (bytes.find(line) != std::string_view::npos)
            scene_.books.said(*visit_.truth, Stage::kNone, static_cast<std::uint16_t>(code));
}

void Connection::say(std::string bytes) {
    said_ += bytes.size();
    after_latency(last_to_client_, [this, bytes = std::move(bytes)] {
        if (client_ == nullptr || broken_) return;
        heard_ += bytes.size();
        scene_.note("reply", slot_, heard_, bytes);
        client_->bytes_received(slot_, bytes);
    });
}

void Connection::end_of_input() {
    input_over_ = true;
    if (server_over_ || broken_) return;
    if (session_) {
        feed();
        session_->connection_lost();
    }
    finish_server({});
}

void Connection::finish_server(std::string_view why) {
    if (server_over_) return;
    server_over_ = true;
    if (session_) receiver_.disconnected();
    if (client_ == nullptr) return;
    after_latency(last_to_client_, [this, why = std::string(why)] {
        if (client_ == nullptr || broken_) return;
        Client* client = std::exchange(client_, nullptr);
        client->connection_lost(slot_, why);
    });
}

void Connection::reset() {
    if (!server_over_ && session_) receiver_.disconnected();
    server_over_ = true;
    broken_ = true;
    scene_.note("reset", slot_, life_);
    if (client_ == nullptr) return;
    Instant soon;
    after_latency(soon, [this] {
        if (client_ == nullptr) return;
        Client* client = std::exchange(client_, nullptr);
        client->connection_lost(slot_, "connection reset by peer");
    });
}

void Connection::watch_deadline() {
    if (deadline_watched_ || server_over_ || !session_) return;
    const auto due = session_->deadline();
    if (!due) return;
    deadline_watched_ = true;
    scene_.agenda.at(*due, [self = shared_from_this()] {
        self->deadline_watched_ = false;
        if (self->server_over_ || self->broken_) return;
        self->session_->deadline_passed(self->scene_.agenda.now().instant);
        self->drain();
        self->take_output();
    });
}

void Connection::settle_accounts() {
    for (const Acceptance& acceptance : acceptances_)
        if (poisoned_ || acceptance.reply_end > heard_) scene_.books.unheard(*acceptance.truth);
    acceptances_.clear();
}

}  // namespace posthorn::sim
