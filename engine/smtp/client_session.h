// The client's half of one SMTP session as a value: bytes and time in; bytes, events and one
// deadline out. Its state is a queue of commands that the peer still owes an answer: a reply always
// answers the front, so pipelining changes when commands are written, never how replies are read.
//
// The loop around it: after every input, next_event() until it gives nothing, then write output()
// and report bytes_written() before any bytes that are read later. At all times the session is
// closed, or a deadline runs, or it is the owner's turn.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/client_event.h"
#include "engine/smtp/client_options.h"
#include "engine/smtp/limits.h"
#include "engine/smtp/reply_parser.h"

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

class ClientSession {
  public:
    // The connection has just been established.
    ClientSession(std::shared_ptr<const ClientOptions> options, Instant now);

    void bytes_received(std::string_view bytes, Instant now);
    void bytes_written(std::size_t count, Instant now);  // the kernel took so much of output()
    void tls_started(Instant now);                       // all learnt before is forgotten
    void connection_lost(Instant now);
    void deadline_passed(Instant now);  // without effect when it has not

    // What cannot be sent here (too large for the peer, needs an extension it lacks, an address
    // that would break the command) finishes at once, locally, and nothing is written.
    bool can_start() const;
    void start(const Transaction& transaction, Instant now);

    // Whose MessageWanted came last: the message, with CRLF line ends throughout. False, and
    // nothing changed: it has a CR or LF outside of CRLF. Then, or without a message, abort().
    [[nodiscard]] bool give_message(std::string_view message, Instant now);

    void quit(Instant now);   // once all that was started has finished
    void abort(Instant now);  // at once: what is unfinished comes back Returned or Uncertain

    std::optional<ClientEvent> next_event();
    std::string_view output() const { return output_.view(); }
    std::optional<Instant> deadline() const;

    bool closed() const { return state_ == State::kClosed; }
    bool idle() const { return state_ == State::kReady && in_flight_ == 0 && awaited() == 0; }
    bool tls() const { return tls_; }
    Rung rung() const;  // the one in use
    const Capabilities& capabilities() const { return capabilities_; }
    std::string_view phrase() const;  // for logs: what is going on
    Stage stage() const;              // of the reply waited for

  private:
    enum class State : std::uint8_t { kOpening, kTlsWanted, kReady, kClosed };
    enum class What : std::uint8_t {
        kGreeting,
        kEhlo,
        kHelo,
        kStartTls,
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
        std::uint64_t data_end = 0;  // of all ever written, once phase is kMessageWritten
        bool mail_accepted = false;
        bool dot_written = false;  // a message or a lone dot: nothing to reset at the peer
    };

    // client_replies.cc
    void reply_received(Instant now, bool more_follows);
    void session_reply(What what, const Reply& reply);
    void hello_done();
    void mail_reply(const Reply& reply);
    void rcpt_reply(std::uint32_t recipient, const Reply& reply);
    void data_reply(const Reply& reply);
    void dot_reply(const Reply& reply);
    void unexpected(const Reply& reply);
    void finish(Stage stage, const Reply& reply);
    void retire();

    // client_commands.cc
    bool refuse_locally(const Transaction& transaction);
    void render_commands(const Transaction& transaction, InFlight& slot);
    void write_more();
    bool may_write(std::size_t position) const;
    void write_command(InFlight& slot);
    void write(std::string_view bytes, What what, std::uint32_t recipient = 0);

    void fail(SessionEnd why, const Reply& reply = {}, bool after_421 = false);
    void close(bool after_421);
    void tell(ClientEvent event) { events_.push_back(std::move(event)); }
    void check_turn() const;
    bool owners_turn() const;
    Duration timeout_of(What what) const;
    std::size_t awaited() const { return awaited_.size() - awaited_front_; }
    const Awaited& front() const { return awaited_[awaited_front_]; }
    InFlight& flight(std::size_t position);
    const InFlight& flight(std::size_t position) const;

    std::shared_ptr<const ClientOptions> options_;
    State state_ = State::kOpening;
    bool tls_ = false;
    bool quitting_ = false;
    bool early_ = false;  // the reply being read began before its command was written
    Capabilities capabilities_;
    ReplyParser parser_;
    ByteQueue output_;
    std::uint64_t written_ = 0;  // octets the kernel took
    std::uint64_t progressed_at_ = 0;
    std::uint64_t started_ = 0;  // transactions, on this connection
    Instant waiting_since_;
    Instant progress_;  // when the peer last took a block of octets

    std::vector<Awaited> awaited_;
    std::size_t awaited_front_ = 0;
    std::array<InFlight, kTransactionsInFlightMax> slots_;
    std::size_t first_slot_ = 0;
    std::size_t in_flight_ = 0;
    std::vector<ClientEvent> events_;
    std::size_t events_front_ = 0;
};

}  // namespace posthorn
