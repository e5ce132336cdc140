// The client's half of one SMTP session as a value: bytes and time in; bytes, events and one
// deadline out. Its state is a queue of commands that the peer still owes an answer: a reply always
// answers the front, so pipelining changes when commands are written, never how replies are read.
// Long because a session is one state; its functions are in several files, by subject.
// The loop around it: after every input, next_event() until it gives nothing, then write output()
// and report bytes_written() before any bytes that are read later. At all times the session is
// closed, or a deadline runs, or it is the owner's turn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/client_event.h"
#include "engine/smtp/client_flight.h"
#include "engine/smtp/client_options.h"
#include "engine/smtp/limits.h"
#include "engine/smtp/reply_parser.h"

namespace posthorn {

class ClientSession {
  public:
    // The connection has just been established; tls: with a handshake before the first word (RFC
    // 8314 section 3.3).
    ClientSession(std::shared_ptr<const ClientOptions> options, Instant now, bool tls = false);

    void bytes_received(std::string_view bytes, Instant now);
    void bytes_written(std::size_t count, Instant now);  // the kernel took so much of output()
    void tls_started(Instant now);                       // all learnt before is forgotten
    void tls_failed(Instant now);                        // in place of tls_started()
    void connection_lost(Instant now);
    void deadline_passed(Instant now);  // without effect when it has not

    // What cannot be sent here (too large for the peer, needs an extension it lacks, an address
    // that would break the command) finishes at once, locally, and nothing is written.
    bool can_start() const;
    bool exhausted() const;  // nothing may start any more, ever
    void start(const Transaction& transaction, Instant now);

    // The message of the transaction whose MessageWanted came last (without effect if that has
    // ended since), with CRLF line ends throughout. False, and nothing changed: it has a CR or LF
    // outside of CRLF. Then, or without a message, abort().
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
    using What = client::What;
    using Phase = client::Phase;
    using Awaited = client::Awaited;
    using InFlight = client::InFlight;
    enum class State : std::uint8_t { kOpening, kTlsWanted, kReady, kClosed };

    // client_replies.cc
    static bool of_transaction(What what);
    static bool makes_sense(What what, const Reply& reply);
    void reply_received(Instant now);
    void pop_front();
    void session_reply(What what, const Reply& reply, Instant now);
    void hello_done(Instant now);
    void introduced(Instant now);
    void become_ready();
    void mail_reply(const Reply& reply);
    void rcpt_reply(std::uint32_t recipient, const Reply& reply);
    void data_reply(const Reply& reply, Instant now);
    bool dot_reply(const Reply& reply);
    void envelope_refused(Stage stage, const Reply& reply);
    void finish(Stage stage, const Reply& reply);
    void retire(Instant now);

    // client_auth.cc
    void begin_auth(Instant now);
    void auth_reply(const Reply& reply, Instant now);
    void answer_challenge(std::string_view text, Instant now);
    void fail_auth(SessionEnd why);
    void withhold_secrets(Reply& reply) const;

    // client_commands.cc
    bool refuse_locally(const Transaction& transaction);
    void render_commands(const Transaction& transaction, InFlight& slot);
    void write_more(Instant now);
    bool may_write(std::size_t position) const;
    std::size_t depth() const;
    InFlight& next_slot();
    void go_deeper(Instant now);
    void write_command(InFlight& slot, Instant now);
    void write(std::string_view bytes, What what, Instant now, std::uint32_t recipient = 0);

    void fail_at(Stage stage, const Reply& reply);
    void fail(SessionEnd why, const Reply& reply = {}, bool after_421 = false);
    void close(bool after_421);
    template <class Told>
    void tell(Told told) {
        events_.emplace_back(std::in_place_type<Told>, std::move(told));
    }
    void check_turn() const;
    std::optional<Instant> step_deadline() const;
    bool chunking() const { return rung() >= Rung::kChunking; }
    const InFlight* wanting_message() const;
    Duration timeout_of(What what) const;
    std::size_t awaited() const { return awaited_.size() - awaited_front_; }
    const Awaited& front() const { return awaited_[awaited_front_]; }
    InFlight& flight(std::size_t position);
    const InFlight& flight(std::size_t position) const;

    std::shared_ptr<const ClientOptions> options_;
    State state_ = State::kOpening;
    bool tls_;
    bool aged_ = false;  // too old to start anything
    bool quitting_ = false;
    bool early_ = false;  // the reply being read began before its command was written
    Capabilities capabilities_;
    client::Auth auth_;
    ReplyParser parser_;
    ByteQueue output_;
    std::uint64_t written_ = 0;  // octets the kernel took
    std::uint64_t progressed_at_ = 0;
    std::uint64_t started_ = 0;  // transactions, on this connection
    Instant opened_;
    Instant waiting_since_;
    Instant progress_;  // when the peer last took a block of octets

    std::vector<Awaited> awaited_;
    std::size_t awaited_front_ = 0;
    std::vector<InFlight> slots_;  // a ring that grows as far as it is used
    std::size_t first_slot_ = 0;
    std::size_t depth_ = kTransactionsInFlightStart;  // of the fastest rung; grows with distance
    std::size_t in_flight_ = 0;
    std::vector<ClientEvent> events_;
    std::size_t events_front_ = 0;
};

}  // namespace posthorn
