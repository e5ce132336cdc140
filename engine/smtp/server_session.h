// The server's half of one SMTP session as a value: bytes and time in; bytes, events and one
// deadline out. Strict: commands end with CRLF, only CRLF.CRLF ends DATA, a message with a bare CR
// or LF is refused. Every reply that matters is the owner's: the session asks, the owner answers,
// at once or later; what the client pipelines meanwhile waits.
//
// The loop around it: after every input or answer, next_event() until it gives nothing, then write
// output(). Stop reading while wants_input() is false.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/server_command.h"
#include "engine/smtp/server_event.h"

namespace posthorn {

class ServerSession {
  public:
    using Ask = server::Ask;
    using Body = server::Body;
    using Dropped = server::Dropped;
    using TlsWanted = server::TlsWanted;
    using Closed = server::Closed;
    using Event = std::variant<Ask, Body, Dropped, TlsWanted, Closed>;

    enum class After { kGoOn, kClose };

    ServerSession(std::shared_ptr<const ServerOptions> options, Instant now);

    // The bytes must stay until next_event() gives nothing; only then is what is left copied.
    void bytes_received(std::string_view bytes, Instant now);
    bool wants_input() const;
    void tls_started(Instant now);  // all that was said before is forgotten
    void connection_lost();
    void deadline_passed(Instant now);

    std::optional<Event> next_event();

    // Answers the last Ask. At kConnect, kEhlo, kMail, kRcpt and kDot a 2yz reply accepts, at
    // kStartTls 220, at kData 354 or 2yz (which BDAT turns into silence); all else refuses.
    void answer(const Reply& reply, Instant now, After after = After::kGoOn);
    void accept(Instant now);                                // the usual positive answer
    void say(std::string_view raw) { output_.append(raw); }  // anything at any time, for faults
    void hang_up();                                          // nothing more is read or asked

    std::string_view output() const { return output_.view(); }
    void consume_output(std::size_t count, Instant now);
    std::optional<Instant> deadline() const;

    bool closed() const { return state_ == State::kClosed; }
    bool asked() const { return state_ == State::kAsked; }
    bool tls() const { return tls_; }
    bool esmtp() const { return esmtp_; }
    const std::string& hello_name() const { return hello_name_; }  // empty: none yet

    // Of the transaction; valid until its kDot has been answered or Dropped.
    const std::string& sender() const { return sender_; }
    std::size_t recipients() const { return recipient_ends_.size(); }
    std::string_view recipient(std::size_t index) const;
    const MailParameters& mail_parameters() const { return mail_parameters_; }
    std::uint64_t message_bytes() const {
        return message_bytes_;
    }  // unstuffed, final CRLF included

  private:
    enum class State { kStart, kCommand, kAsked, kBody, kChunk, kTls, kClosed };
    enum class Dot { kNone, kSeen, kSeenWithCr };  // of a line that may be the end of data

    std::optional<Event> step();
    std::optional<Event> read_command();
    std::optional<Event> obey(const Command& command);
    std::optional<Event> obey_hello(const Command& command);
    std::optional<Event> obey_starttls(const Command& command);
    std::optional<Event> obey_mail(const Command& command);
    std::optional<Event> obey_rcpt(const Command& command);
    std::optional<Event> obey_data(const Command& command);
    std::optional<Event> obey_bdat(const Command& command);
    std::optional<Event> read_body();
    std::optional<Event> read_chunk();
    std::optional<Event> end_message();
    void step_over_dot();
    std::optional<Event> take_text(std::size_t count);
    Event ask(Stage stage, std::string_view argument, bool chunking = false);
    void answered(const Reply& reply);
    void begin_data(bool accepted);
    void refuse_syntax(std::string_view reply_line);
    void say_hello();
    void end_transaction();
    bool discarding() const { return bare_ || too_large_ || chunk_refused_; }
    void take(std::size_t count) { unread_.remove_prefix(count); }
    void keep_rest();

    std::shared_ptr<const ServerOptions> options_;
    Capabilities offered_;
    State state_ = State::kStart;
    Stage asked_ = Stage::kNone;
    Instant active_;  // when something last moved

    std::string held_;         // input kept from call to call
    std::string_view unread_;  // a part of held_, or of what the owner lent
    bool lent_ = false;
    ByteQueue output_;

    std::string hello_name_;
    std::string argument_;  // what is being asked about
    std::string refusal_;   // of a chunk, said after its octets
    std::string sender_;
    std::string recipient_text_;  // all addresses, back to back
    std::vector<std::size_t> recipient_ends_;
    MailParameters mail_parameters_;
    MailParameters asked_parameters_;
    std::uint64_t message_bytes_ = 0;
    std::uint64_t chunk_left_ = 0;
    std::uint32_t bad_commands_ = 0;
    char before_ = '\n';  // the octet before unread_, within the message
    Dot dot_ = Dot::kNone;

    bool esmtp_ = false;
    bool asked_esmtp_ = false;
    bool tls_ = false;
    bool connected_ = false;      // the greeting was positive
    bool in_mail_ = false;        // MAIL was accepted
    bool chunked_ = false;        // the transaction has used BDAT
    bool last_chunk_ = false;     // the chunk being read is the last
    bool chunk_refused_ = false;  // its octets are skipped
    bool bare_ = false;           // the message has a bare CR or LF
    bool too_large_ = false;
    bool skipping_line_ = false;  // a command that is too long
    bool tls_told_ = false;
    bool closed_told_ = false;
};

}  // namespace posthorn
