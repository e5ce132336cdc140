// One SMTP connection to the sink: moves bytes between a socket, TLS, the session and the delay
// line, asks the policy at each stage, and keeps the books. Owns itself: it is gone once its socket
// is closed.
#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/net/tls_channel.h"
#include "engine/smtp/server_session.h"
#include "tools/sink/delay_line.h"
#include "tools/sink/message_id.h"
#include "tools/sink/world.h"

namespace posthorn::sink {

class Connection {
  public:
    // A socket waits at the listener: takes it, or closes it if it came to no address in 127/8.
    static void accept(World& world, uv_stream_t& listener);

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

  private:
    Connection(World& world, uv_loop_t* loop);

    void begin(std::uint32_t local_address);
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&socket_); }

    // Input: socket, TLS, session.
    void received(std::string_view bytes);
    void handshake_received(std::string_view bytes);
    void feed_plaintext();
    void read_or_pause();
    void lost();

    // The session's events.
    void pump();
    void drain_events();
    void on_ask(const ServerSession::Ask& ask);
    void on_body(std::string_view bytes);
    void on_body_fault(const Fault& fault);
    void on_tls_wanted();
    void reply();
    bool replaced_by_fault();
    void accept_message();
    void save_message();

    // Output: session, TLS, delay line, socket.
    void take_output();
    void send(std::string_view bytes);
    void write_due();
    void write_later(std::string_view bytes);
    bool congested() const;

    void timer_passed();
    void arm_timer();
    void finish_if_flushed();
    void hang_up();
    void stall();
    void reset();
    void end_talk();
    void close();

    static void on_closed(uv_handle_t* handle);
    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

    World& world_;
    uv_tcp_t socket_;
    uv_timer_t timer_;
    uv_write_t write_;
    uv_shutdown_t shutdown_;
    std::optional<ServerSession> session_;
    std::optional<TlsChannel> tls_;
    Talk talk_;
    Now now_;  // of this wake-up
    std::uint64_t number_ = 0;

    Place place_ = Place::kConnect;  // of the decision being carried out
    Decision decision_;
    std::optional<Reply> filled_;  // a reply whose holes are filled
    std::optional<Instant> reply_due_;
    std::optional<Instant> read_again_;
    std::optional<Instant> armed_;
    std::optional<Instant> linger_end_;

    MessageIdScan scan_;
    std::string message_;  // only if it is kept
    std::uint32_t messages_saved_ = 0;

    DelayLine line_;
    std::string writing_;
    Duration drip_{0};

    bool handles_closing_ = false;
    bool talk_open_ = false;
    bool body_begun_ = false;
    bool early_in_body_ = false;  // the dot is refused: its reply has been said too soon
    bool swallow_next_reply_ = false;
    bool stalled_ = false;  // reads, and never says anything again
    bool ended_ = false;    // the session is over; flush, then close
    bool peer_gone_ = false;
    bool shut_down_ = false;
    bool tls_closed_ = false;
    bool silent_ = false;  // BDAT: a positive answer is not said
    bool reading_ = false;
    bool write_under_way_ = false;
    bool all_answered_ = false;
    int handles_open_ = 2;
};

}  // namespace posthorn::sink
