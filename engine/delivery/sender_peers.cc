// What a sender notices of a peer that loses its way: on a rung of the ladder, or before it is
// ready.
#include "engine/delivery/sender_session.h"

namespace posthorn {

namespace {

// Transactions on one connection, below which its breaking off may be for their being pipelined.
constexpr std::uint32_t kEarlyMessages = 2;

bool within_transaction(Stage stage) {
    return stage == Stage::kMail || stage == Stage::kRcpt || stage == Stage::kData ||
           stage == Stage::kDot;
}

}  // namespace

// "Out of order" or "not implemented" to commands that every server knows, in their order: it is
// the pipelining that the peer does not follow, and nothing is wrong with the recipient. Who was
// never told of a recipient may say so with 554 and the enhanced code of that (RFC 3463, X.5.1).
bool Sender::lost_its_way(const Session& session, const Reply& reply, bool local) const {
    if (local || session.smtp->rung() == Rung::kLockstep) return false;
    return reply.code == 500 || reply.code == 502 || reply.code == 503 ||
           (reply.code == 554 && reply.enhanced == EnhancedCode{5, 5, 1});
}

void Sender::transaction_finished(Session& session, const client::TransactionFinished& event,
                                  Now now) {
    if (lost_its_way(session, event.reply, event.local)) {
        session.mishandled = session.smtp->rung();
        session.sure_of_mishandling = true;
        finish(session, event.transaction, AttemptEnd::kReturned, event.stage, event.reply, now);
        start_nothing_more(session);
        return;
    }
    const bool accepted = event.stage == Stage::kDot && event.reply.positive();
    finish(session, event.transaction, accepted ? AttemptEnd::kAccepted : AttemptEnd::kRefused,
           event.stage, event.reply, now);
}

void Sender::refused(Session& session, const client::RecipientRefused& event, Now now) {
    // The end of its transaction says the same and is judged there.
    if (lost_its_way(session, event.reply, event.local)) return;
    for (Item& item : session.in_flight) {
        if (item.transaction != event.transaction || item.reported) continue;
        report(session, item, AttemptEnd::kRefused, Stage::kRcpt, event.reply, now);
        item.reported = true;
    }
}

void Sender::session_failed(Session& session, const client::Failed& failure) {
    session.end_stage = failure.stage;
    session.end_reply = failure.reply;
    if (session.end_reply.code == 0) {
        session.end_reply.text = name_of(failure.why);
        if (!session.lost.empty()) session.end_reply.text += ": " + session.lost;
    }
    if (failure.why == SessionEnd::kTlsNotOffered)
        session.tls = TlsResult::kStartTlsNotSupported;
    else if (!session.ready && failure.reply.code == 0 && failure.stage == Stage::kEhlo &&
             session.smtp->tls())
        session.tls = TlsResult::kValidationFailure;  // nothing came through the new channel
    const Rung rung = session.smtp->rung();
    if (!session.ready || rung == Rung::kLockstep || session.mishandled) return;
    const bool nonsense =
        failure.why == SessionEnd::kUnexpectedReply || failure.why == SessionEnd::kNotAReply;
    const bool silence =
        failure.why == SessionEnd::kTimeout || failure.why == SessionEnd::kConnectionLost;
    const bool early = session.messages < kEarlyMessages && within_transaction(failure.stage);
    if (!nonsense && !(silence && early)) return;
    session.mishandled = rung;
    session.sure_of_mishandling = nonsense;
}

}  // namespace posthorn
