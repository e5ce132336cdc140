// What a client session has in flight: the transactions it was given, and the commands that the
// peer still owes an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/smtp/client_event.h"
#include "engine/smtp/sasl.h"

namespace posthorn {

// Addresses without brackets; the views need to live only for the call of start().
struct Transaction {
    TransactionId id = 0;
    std::string_view from;                         // may be empty
    std::span<const std::string_view> recipients;  // 1 to kRecipientsMax
    std::uint64_t message_bytes = 0;               // an estimate; 0: unknown
    bool eight_bit = false;
    bool smtputf8 = false;
};

namespace client {

enum class What : std::uint8_t {
    kGreeting,
    kEhlo,
    kHelo,
    kStartTls,
    kAuth,
    kMail,
    kRcpt,
    kData,
    kDot,
    kLoneDot,  // the empty message after 354 with no recipient left; its reply is nobody's
    kRset,
    kQuit
};

struct Awaited {
    What what;
    std::uint32_t recipient;    // of kRcpt
    std::uint64_t written_end;  // the command ends at this octet of all ever written
};

enum class Phase : std::uint8_t { kEnvelope, kMessageWanted, kMessageWritten, kOver };

struct InFlight {
    TransactionId id = 0;
    Phase phase = Phase::kEnvelope;
    std::string commands;  // MAIL, RCPT..., DATA
    std::size_t commands_written = 0;
    std::vector<std::uint32_t> recipients;  // indices, one for each RCPT
    std::size_t recipients_written = 0;
    std::size_t recipients_answered = 0;
    std::size_t recipients_accepted = 0;
    std::size_t replies_owed = 0;
    Instant written;             // when its message was
    std::uint64_t data_end = 0;  // of all ever written, once phase is kMessageWritten
    // Its envelope was refused when its message had been written: told with the answer to that.
    Stage refused_at = Stage::kNone;
    Reply refusal;
    bool mail_accepted = false;
    bool dot_written = false;  // a message or a lone dot: nothing to reset at the peer
};

// How far the proof of identity has got.
struct Auth {
    std::size_t mechanism = 0;  // index of the next that may be tried
    std::unique_ptr<SaslExchange> exchange;
    std::optional<std::string> first;  // too long for the command: it waits for the first challenge
    std::string said;                  // the last message, as it stood on the wire
    std::uint32_t challenges = 0;
};

}  // namespace client

}  // namespace posthorn
