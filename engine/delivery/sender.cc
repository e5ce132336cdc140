#include "engine/delivery/sender.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/units.h"
#include "engine/delivery/sender_session.h"
#include "engine/queue/keys.h"

namespace posthorn {

namespace {

// Bytes that a session may hold unwritten before it starts another message: thousands of sessions
// do.
constexpr std::size_t kOutputHeldMax = 16 * 1024;
constexpr std::size_t kRefusingMax = 1000;  // renderers remembered for having refused somebody

StartTls starttls_of(const TlsPolicy* policy) {
    if (policy == nullptr || policy->implicit || policy->mode == TlsMode::kOff)
        return StartTls::kNever;
    return policy->mode == TlsMode::kOpportunistic ? StartTls::kIfOffered : StartTls::kRequired;
}

}  // namespace

void SenderOutput::clear() {
    connects.clear();
    handshakes.clear();
    writes.clear();
    closes.clear();
    reports.clear();
}

Sender::Sender(SenderOptions options, std::shared_ptr<const Classifier> classifier)
    : options_(options), classifier_(std::move(classifier)) {}

Sender::~Sender() = default;

void Sender::ordered(SenderOrder order, Now now) {
    if (auto* lease = std::get_if<std::shared_ptr<const Lease>>(&order)) {
        lease_arrived(std::move(*lease), now);
    } else if (const auto* opening = std::get_if<OpenSession>(&order)) {
        open(*opening, now);
    } else if (const auto found = sessions_.find(std::get<CloseSession>(order).slot);
               found != sessions_.end()) {
        close_politely(*found->second, now);
    }
}

void Sender::open(const OpenSession& order, Now now) {
    auto session = std::make_unique<Session>();
    session->order = order;
    session->connect_deadline = now.instant + options_.connect_timeout;
    output_.connects.push_back({order.slot, order.address, order.port, order.local_address});
    arm(*session);
    CHECK(sessions_.emplace(order.slot, std::move(session)).second);
}

void Sender::lease_arrived(std::shared_ptr<const Lease> lease, Now now) {
    const auto found = sessions_.find(lease->slot);
    if (found == sessions_.end() || found->second->closing) {
        give_back(*lease, 0);
        return;
    }
    Session& session = *found->second;
    CHECK(session.ready);
    session.queue.push_back({std::move(lease), 0});
    progress(session, now);
}

void Sender::connected(SlotId slot, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    CHECK(!session.smtp);
    const TlsPolicy* tls = session.order.tls.get();
    if (tls != nullptr && tls->implicit) {
        want_handshake(session, now);
        arm(session);
    } else {
        begin_talk(session, now);
    }
}

void Sender::begin_talk(Session& session, Now now) {
    const TlsPolicy* tls = session.order.tls.get();
    const bool encrypted = tls != nullptr && tls->implicit;
    ClientOptions options;
    options.ehlo_name = session.order.ehlo_name;
    options.max_rung = std::min(options_.max_rung, session.order.rung_max);
    options.timeouts = options_.timeouts;
    options.starttls = starttls_of(tls);
    session.smtp.emplace(std::make_shared<const ClientOptions>(std::move(options)), now.instant,
                         encrypted);
    progress(session, now);
}

void Sender::want_handshake(Session& session, Now now) {
    session.handshaking = true;
    session.handshake_deadline = now.instant + options_.timeouts.starttls;
    output_.handshakes.push_back({session.order.slot, session.order.tls});
}

void Sender::tls_started(SlotId slot, const TlsFacts& facts, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end() || !found->second->handshaking) return;
    Session& session = *found->second;
    session.handshaking = false;
    session.proof = facts.proof;
    if (!session.smtp) return begin_talk(session, now);
    session.smtp->tls_started(now.instant);
    progress(session, now);
}

void Sender::tls_failed(SlotId slot, TlsResult result, std::string_view why, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end() || !found->second->handshaking) return;
    Session& session = *found->second;
    session.tls = result;
    session.lost = why;
    if (session.smtp) {
        session.smtp->tls_failed(now.instant);
        progress(session, now);
    } else {
        end(session, now);
    }
}

void Sender::connection_lost(SlotId slot, std::string_view why, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    if (session.handshaking) return tls_failed(slot, TlsResult::kValidationFailure, why, now);
    session.lost = why;
    if (session.smtp) {
        session.smtp->connection_lost(now.instant);
        progress(session, now);
    } else {
        end(session, now);
    }
}

void Sender::bytes_received(SlotId slot, std::string_view bytes, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    if (session.handshaking)  // behind the 220 or in place of a handshake: in the clear
        return tls_failed(slot, TlsResult::kValidationFailure, "the peer spoke in the clear", now);
    session.smtp->bytes_received(bytes, now.instant);
    progress(session, now);
}

void Sender::bytes_written(SlotId slot, std::size_t count, Now now) {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    session.dirty = false;
    session.smtp->bytes_written(count, now.instant);
    if (session.queue.empty()) {
        arm(session);
    } else {
        progress(session, now);
    }
}

std::string_view Sender::bytes_to_write(SlotId slot) const {
    const auto found = sessions_.find(slot);
    return found == sessions_.end() || !found->second->smtp ? std::string_view()
                                                            : found->second->smtp->output();
}

void Sender::deadline_passed(Now now) {
    while (!timers_.empty() && timers_.top().first <= now.instant) {
        const SlotId slot = timers_.top().second;
        timers_.pop();
        const auto found = sessions_.find(slot);
        if (found == sessions_.end()) continue;
        Session& session = *found->second;
        session.timer.reset();
        return_expired(session, now);
        if (session.handshaking && session.handshake_deadline <= now.instant) {
            tls_failed(slot, TlsResult::kValidationFailure, "no end of the handshake in time", now);
        } else if (session.handshaking) {
            arm(session);
        } else if (session.smtp) {
            session.smtp->deadline_passed(now.instant);
            progress(session, now);
        } else if (session.connect_deadline <= now.instant) {
            session.lost = "no connection within " + to_string(options_.connect_timeout);
            end(session, now);
        } else {
            arm(session);
        }
    }
}

void Sender::abort_all(Now now) {
    std::vector<SlotId> slots;
    for (const auto& [slot, session] : sessions_) slots.push_back(slot);
    for (const SlotId slot : slots) {
        Session& session = *sessions_.at(slot);
        session.closing = true;
        session.lost = "stopped";
        if (session.smtp) {
            session.smtp->abort(now.instant);
            progress(session, now);
        } else {
            end(session, now);
        }
    }
}

std::optional<Instant> Sender::deadline() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.top().first;
}

void Sender::arm(Session& session) {
    const auto at = session.deadline();
    if (!at || (session.timer && *session.timer <= *at)) return;
    session.timer = at;
    timers_.emplace(*at, session.order.slot);
}

// The session's own decision; the scheduler is told, so that it grants nothing more.
void Sender::start_nothing_more(Session& session) {
    if (session.closing) return;
    session.closing = true;
    return_queued(session);
    output_.reports.push_back(SessionEnding{session.order.slot});
}

void Sender::close_politely(Session& session, Now now) {
    session.closing = true;
    return_queued(session);
    if (session.smtp) {
        progress(session, now);
    } else {
        session.lost = "no longer wanted";
        end(session, now);
    }
}

// Takes what the session has to say, gives it what it may start, until neither changes anything.
void Sender::progress(Session& session, Now now) {
    ClientSession& smtp = *session.smtp;
    do {
        while (const auto event = smtp.next_event())
            if (!handle(session, *event, now)) return;  // the session is gone
    } while (start_next(session, now));
    if (session.ready && !session.closing && smtp.exhausted()) start_nothing_more(session);
    if (session.closing && smtp.idle()) {
        smtp.quit(now.instant);
        while (const auto event = smtp.next_event())
            if (!handle(session, *event, now)) return;
    }
    if (!session.dirty && !smtp.output().empty()) {
        session.dirty = true;
        output_.writes.push_back(session.order.slot);
    }
    arm(session);
}

bool Sender::handle(Session& session, const ClientEvent& event, Now now) {
    if (const auto* wanted = std::get_if<client::MessageWanted>(&event)) {
        write_message(session, wanted->transaction, now);
    } else if (const auto* done = std::get_if<client::TransactionFinished>(&event)) {
        transaction_finished(session, *done, now);
    } else if (const auto* refusal = std::get_if<client::RecipientRefused>(&event)) {
        refused(session, *refusal, now);
    } else if (const auto* back = std::get_if<client::Returned>(&event)) {
        finish(session, back->transaction, AttemptEnd::kReturned, Stage::kNone, {}, now);
    } else if (const auto* lost = std::get_if<client::Uncertain>(&event)) {
        finish(session, lost->transaction, AttemptEnd::kUncertain, Stage::kDot, {}, now);
    } else if (std::holds_alternative<client::Ready>(event)) {
        const ClientSession& smtp = *session.smtp;
        session.ready = true;
        if (session.order.tls && !smtp.tls())
            session.tls = session.proof = TlsResult::kStartTlsNotSupported;
        output_.reports.push_back(
            SessionReady{session.order.slot, smtp.tls(), smtp.capabilities().mail_max,
                         smtp.capabilities().domain_max, smtp.rung(), session.proof});
    } else if (std::holds_alternative<client::TlsWanted>(event)) {
        want_handshake(session, now);
    } else if (const auto* failure = std::get_if<client::Failed>(&event)) {
        session_failed(session, *failure);
    } else if (std::holds_alternative<client::Closed>(event)) {
        end(session, now);
        return false;
    }
    return true;
}

bool Sender::start_next(Session& session, Now now) {
    return_expired(session, now);
    if (session.queue.empty() || session.closing || !session.smtp->can_start()) return false;
    if (session.smtp->output().size() >= kOutputHeldMax) return false;
    QueuedLease& queued = session.queue.front();
    const bool alone = queued.lease->alone ||
                       (!session.in_flight.empty() && session.in_flight.back().lease->alone);
    if (alone && !session.in_flight.empty()) return false;

    Item item{session.next_transaction++, queued.lease, queued.next++, now.instant, false};
    if (queued.next == queued.lease->recipients.size()) session.queue.pop_front();
    // In chunks the message is wanted at once; a renderer that has refused somebody is asked for
    // all of it first, so that a refusal costs no connection.
    const Renderer& renderer = *item.lease->renderer;
    const bool whole = session.smtp->rung() >= Rung::kChunking || refusing_.contains(&renderer);
    const RenderRequest request = request_of(item, now);
    const Status rendered =
        whole ? renderer.render(request, rendered_) : renderer.envelope(request, rendered_);
    if (!rendered) {
        report(session, item, AttemptEnd::kUnrendered, Stage::kNone,
               Reply{0, std::nullopt, "not rendered: " + rendered.error().message}, now);
        return true;
    }
    rendered_for_ = whole ? std::pair(session.order.slot, item.transaction)
                          : std::pair<SlotId, TransactionId>();
    const std::string_view recipient = rendered_.envelope_to;
    Transaction transaction;
    transaction.id = item.transaction;
    transaction.from = rendered_.envelope_from;
    transaction.recipients = {&recipient, 1};
    transaction.message_bytes = rendered_.bytes.size();
    transaction.eight_bit = rendered_.eight_bit;
    transaction.smtputf8 = rendered_.smtputf8;
    session.in_flight.push_back(std::move(item));
    session.smtp->start(transaction, now.instant);
    return true;
}

RenderRequest Sender::request_of(const Item& item, Now now) {
    const Recipient& recipient = item.lease->recipients[item.recipient];
    audience_key_.clear();
    append_audience_key(audience_key_, item.lease->lane, recipient.local());
    const OutcomeRecord* previous = recipient.previous();
    return {audience_key_, recipient.row(),
            previous != nullptr ? previous->first_lease : item.lease->time, now.wall};
}

void Sender::write_message(Session& session, TransactionId transaction, Now now) {
    const auto item = std::find_if(session.in_flight.begin(), session.in_flight.end(),
                                   [&](const Item& i) { return i.transaction == transaction; });
    CHECK(item != session.in_flight.end());
    Status rendered;
    if (rendered_for_ != std::pair(session.order.slot, transaction))
        rendered = item->lease->renderer->render(request_of(*item, now), rendered_);
    rendered_for_ = {};
    if (rendered && session.smtp->give_message(rendered_.bytes, now.instant)) return;
    if (refusing_.size() >= kRefusingMax) refusing_.clear();
    refusing_.insert(item->lease->renderer.get());
    // After 354 there is no way back but to drop the connection; what else is in flight comes back.
    report(session, *item, AttemptEnd::kUnrendered, Stage::kNone,
           Reply{0, std::nullopt,
                 "not rendered: " +
                     (rendered ? "a line end that is not CRLF" : rendered.error().message)},
           now);
    item->reported = true;
    session.lost = "a message could not be rendered";
    session.smtp->abort(now.instant);
}

}  // namespace posthorn
