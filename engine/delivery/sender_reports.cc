// What a sender says of its recipients and sessions.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/delivery/sender_session.h"

namespace posthorn {

void Sender::finish(Session& session, TransactionId transaction, AttemptEnd end, Stage stage,
                    const Reply& reply, Now now) {
    const auto item = std::find_if(session.in_flight.begin(), session.in_flight.end(),
                                   [&](const Item& i) { return i.transaction == transaction; });
    CHECK(item != session.in_flight.end());
    if (!item->reported) report(session, *item, end, stage, reply, now);
    session.in_flight.erase(item);
    if (end == AttemptEnd::kAccepted || end == AttemptEnd::kRefused) ++session.messages;
}

void Sender::report(Session& session, const Item& item, AttemptEnd end, Stage stage,
                    const Reply& reply, Now now) {
    AttemptDone done;
    done.lease = item.lease->sequence;
    done.recipient = item.recipient;
    done.end = end;
    done.begun = end == AttemptEnd::kReturned && session.end_reply.code != 421;
    done.latency = now.instant - item.started;
    AttemptRecord& attempt = done.attempt;
    attempt.time = now.wall;
    attempt.stage = stage;
    attempt.reply = reply;
    attempt.host = session.order.host;
    attempt.source = session.order.source;
    if (end == AttemptEnd::kRefused) {
        const Verdict verdict = classifier_->classify(stage, reply);
        attempt.category = verdict.category;
        attempt.action = verdict.action;
    } else if (end == AttemptEnd::kUncertain) {
        attempt.uncertain = true;
        attempt.category = Category::kNetwork;
        attempt.action = Action::kRetry;
        attempt.reply.text = "no reply to the end of data";
        if (!session.end_reply.text.empty()) attempt.reply.text += ": " + session.end_reply.text;
    } else if (end == AttemptEnd::kUnrendered) {
        attempt.category = Category::kUnknown;
        attempt.action = Action::kDrop;
    }
    output_.reports.push_back(std::move(done));
}

void Sender::give_back(const Lease& lease, std::size_t from) {
    for (std::size_t i = from; i < lease.recipients.size(); ++i) {
        AttemptDone done;
        done.lease = lease.sequence;
        done.recipient = static_cast<std::uint32_t>(i);
        output_.reports.push_back(std::move(done));
    }
}

void Sender::return_queued(Session& session) {
    for (const QueuedLease& queued : session.queue) give_back(*queued.lease, queued.next);
    session.queue.clear();
}

void Sender::return_expired(Session& session, Now now) {
    while (!session.queue.empty() && session.queue.front().lease->valid_until <= now.instant) {
        give_back(*session.queue.front().lease, session.queue.front().next);
        session.queue.pop_front();
    }
}

void Sender::end(Session& session, Now now) {
    CHECK(session.in_flight.empty());
    return_queued(session);
    if (session.end_reply.code == 0 && session.end_reply.text.empty())
        session.end_reply.text = session.lost;
    if (session.handshaking && !session.smtp) session.end_stage = Stage::kStartTls;
    Category category = Category::kNone;
    Action action = Action::kNone;
    if (session.end_reply.code != 0) {
        const Verdict verdict = classifier_->classify(session.end_stage, session.end_reply);
        category = verdict.category;
        action = verdict.action;
    }
    const SlotId slot = session.order.slot;
    if (session.ready || session.closing) {
        SessionClosed closed{slot,   session.end_stage, std::move(session.end_reply), category,
                             action, session.messages};
        (session.sure_of_mishandling ? closed.mishandled : closed.suspected) = session.mishandled;
        output_.reports.push_back(std::move(closed));
    } else {
        output_.reports.push_back(SessionFailed{
            slot, session.end_stage, std::move(session.end_reply), category, action, session.tls});
    }
    output_.closes.push_back(slot);
    sessions_.erase(slot);
    (void)now;
}

}  // namespace posthorn
