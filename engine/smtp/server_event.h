// What a server session offers, and what it tells and asks its owner.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/mail/reply.h"
#include "engine/smtp/limits.h"

namespace posthorn {

struct ServerOptions {
    std::string host_name = "localhost";
    std::vector<std::string> offers;  // EHLO keywords in order, e.g. "PIPELINING", "SIZE 10485760"
    std::size_t recipients_max = kRecipientsMax;
    Duration idle_timeout = std::chrono::minutes(5);  // RFC 5321 section 4.5.3.2.7
};

namespace server {

// The owner's turn: answer() or accept(). argument: the name at EHLO, the address at MAIL and
// RCPT, else empty; it stays until the answer. At kData chunking tells BDAT from DATA.
struct Ask {
    Stage stage;  // kConnect kEhlo kStartTls kMail kRcpt kData kDot
    std::string_view argument;
    bool chunking = false;
};
// The next octets of the message, dots unstuffed. They stay until the next call of anything.
struct Body {
    std::string_view bytes;
};
// The transaction is over without an Ask at kDot: RSET, or a message that breaks the rules. An Ask
// at kEhlo and Closed end one silently.
struct Dropped {};
// 220 has been said to STARTTLS: flush output(), take the handshake, then tls_started().
struct TlsWanted {};
// The last event. Flush output(), then close.
struct Closed {};

}  // namespace server

}  // namespace posthorn
