// What a sender keeps of one session: its leases waiting, its transactions in flight, how it ended.
// Private to sender.cc and sender_reports.cc.
#pragma once

#include "engine/delivery/sender.h"

namespace posthorn {

struct Sender::Item {
    TransactionId transaction = 0;
    std::shared_ptr<const Lease> lease;
    std::uint32_t recipient = 0;
    Instant started;
    bool reported = false;
};

struct Sender::QueuedLease {
    std::shared_ptr<const Lease> lease;
    std::uint32_t next = 0;
};

struct Sender::Session {
    OpenSession order;
    std::optional<ClientSession> smtp;  // once connected
    Instant connect_deadline;
    bool ready = false;
    bool closing = false;
    bool dirty = false;  // listed in output_.writes
    bool handshaking = false;
    bool sure_of_mishandling = false;  // not only suspected
    std::optional<Rung> mishandled;
    TlsResult tls = TlsResult::kSuccess;
    TlsResult proof = TlsResult::kSuccess;
    Instant handshake_deadline;
    std::deque<QueuedLease> queue;
    std::vector<Item> in_flight;
    TransactionId next_transaction = 1;
    std::uint32_t messages = 0;
    Stage end_stage = Stage::kConnect;
    Reply end_reply;
    std::string lost;  // how the connection ended, in the system's words
    std::optional<Instant> timer;

    std::optional<Instant> deadline() const {
        std::optional<Instant> at = smtp ? smtp->deadline() : std::optional(connect_deadline);
        if (handshaking) at = handshake_deadline;
        if (!queue.empty()) {
            const Instant valid = queue.front().lease->valid_until;
            if (!at || valid < *at) at = valid;
        }
        return at;
    }
};

}  // namespace posthorn
