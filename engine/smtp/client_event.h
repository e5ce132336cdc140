// What a client session tells its owner. Every transaction that was started ends with exactly one
// of TransactionFinished, Returned and Uncertain; recipients refused before that are told one by
// one and have no part in it.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "engine/mail/reply.h"

namespace posthorn {

using TransactionId = std::uint64_t;  // the owner's, given back as it came

enum class SessionEnd : std::uint8_t {
    kReply,            // the peer refused the session, or said 421 at any point
    kTimeout,          // the deadline of the stage passed
    kConnectionLost,   // by the peer or the network
    kNotAReply,        // the peer sent what no SMTP server says
    kUnexpectedReply,  // a reply nobody had asked for, or of a class that makes no sense here
    kTlsNotOffered,    // and the owner requires it
    kTlsFailed,        // the handshake, in the owner's hands
    kAuthWithoutTls,   // credentials are there, and no TLS to send them over
    kAuthNotOffered,   // no mechanism that the credentials are for
    kAuthBroken        // a challenge without sense, or success without the server's proof
};
std::string_view name_of(SessionEnd why);

namespace client {

// Greeting and EHLO are done: capabilities() are known, transactions may start.
struct Ready {};
// STARTTLS was answered with 220: take the handshake, then tls_started().
struct TlsWanted {};
// The transaction's body may be sent: give_message(), or abort().
struct MessageWanted {
    TransactionId transaction;
};
struct RecipientAccepted {
    TransactionId transaction;
    std::uint32_t recipient;  // index
};
struct RecipientRefused {
    TransactionId transaction;
    std::uint32_t recipient;
    Reply reply;
    bool local = false;  // the session's own judgement, nothing was sent
};
// Answered, for all its recipients that were not refused before. At kRcpt every one was.
struct TransactionFinished {
    TransactionId transaction;
    Stage stage;  // kMail kRcpt kData kDot
    Reply reply;
    bool local = false;
};
// Never attempted: the end of data was not fully written, or a 421 came before its answer.
struct Returned {
    TransactionId transaction;
};
// The end of data was fully written, then neither answered nor preceded by a 421.
struct Uncertain {
    TransactionId transaction;
};
// The session is at its end and why; Returned or Uncertain of all unfinished transactions follow.
struct Failed {
    Stage stage;  // what was being waited for; kNone: nothing
    SessionEnd why;
    Reply reply;  // of kReply and kUnexpectedReply
};
// The last event: close the connection.
struct Closed {};

}  // namespace client

using ClientEvent =
    std::variant<client::Ready, client::TlsWanted, client::MessageWanted, client::RecipientAccepted,
                 client::RecipientRefused, client::TransactionFinished, client::Returned,
                 client::Uncertain, client::Failed, client::Closed>;

}  // namespace posthorn
