// How a client session behaves, chosen by its owner and shared by many sessions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/smtp/sasl.h"

namespace posthorn {

// How far ahead of the replies a client writes, from slow to fast.
enum class Rung : std::uint8_t {
    kLockstep,       // one command, one reply
    kPipelining,     // RFC 2920: MAIL, RCPT and DATA in one flight
    kNextBehindDot,  // and the next message's MAIL, RCPT and DATA behind this message's dot
    kChunking,       // RFC 3030: MAIL, RCPT and the message in one flight
    kChunkingAhead   // and several whole messages in flight
};

constexpr std::string_view name_of(Rung rung) {
    switch (rung) {
        case Rung::kLockstep:
            return "lockstep";
        case Rung::kPipelining:
            return "pipelining";
        case Rung::kNextBehindDot:
            return "pipelining, the next behind the dot";
        case Rung::kChunking:
            return "chunking";
        case Rung::kChunkingAhead:
            return "chunking, several in flight";
    }
    return "";
}

enum class StartTls : std::uint8_t { kNever, kIfOffered, kRequired };

// RFC 5321 section 4.5.3.2: shorter ones make duplicates.
struct ClientTimeouts {
    Duration greeting = std::chrono::minutes(5);
    Duration ehlo = std::chrono::minutes(5);
    Duration starttls = std::chrono::minutes(2);
    Duration auth = std::chrono::minutes(5);
    Duration mail = std::chrono::minutes(5);
    Duration rcpt = std::chrono::minutes(5);
    Duration data_start = std::chrono::minutes(2);
    Duration data_block = std::chrono::minutes(3);  // also for commands the peer does not read
    Duration data_end = std::chrono::minutes(10);
    Duration quit = std::chrono::seconds(10);
    Duration idle = std::chrono::seconds(60);  // with nothing to do, before QUIT
    // Of the whole session, however slowly and politely the peer goes on. The difference is enough
    // for a transaction begun last, so that the cut makes no duplicates.
    Duration session_start = std::chrono::minutes(30);  // no transaction starts later
    Duration session = std::chrono::minutes(60);
};

struct ClientOptions {
    std::string ehlo_name;
    Rung max_rung = Rung::kNextBehindDot;  // as far as PIPELINING and CHUNKING are offered
    StartTls starttls = StartTls::kNever;
    std::shared_ptr<const SaslLogin> login;  // null: nobody asks who we are
    ClientTimeouts timeouts;
};

}  // namespace posthorn
