// The socket's side of a connection; what is said on it is in connection_talk.cc.
#include "tools/sink/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace posthorn::sink {

namespace {

// Output that may pile up before the session gets no more turns.
constexpr std::size_t kLineBytesMax = std::size_t{1024} * 1024;
// After the last reply, until the client has closed too; a close at once could reset the
// connection and take the reply with it.
constexpr Duration kLinger = std::chrono::seconds(2);
// For a client that does not read what it is told last.
constexpr Duration kFlushMax = std::chrono::minutes(5);
constexpr Duration kStallMax = std::chrono::hours(1);

Connection* of(void* handle) { return static_cast<Connection*>(handle); }

std::optional<std::uint32_t> local_address(const uv_tcp_t& socket) {
    sockaddr_storage storage{};
    int size = sizeof storage;
    if (uv_tcp_getsockname(&socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        return std::nullopt;
    if (storage.ss_family != AF_INET) return std::nullopt;
    return ntohl(reinterpret_cast<const sockaddr_in&>(storage).sin_addr.s_addr);
}

}  // namespace

Connection::Connection(World& world, uv_loop_t* loop) : world_(world), now_(read_clocks()) {
    uv_tcp_init(loop, &socket_);
    uv_timer_init(loop, &timer_);
    socket_.data = timer_.data = write_.data = shutdown_.data = this;
}

void Connection::accept(World& world, uv_stream_t& listener) {
    auto* connection = new Connection(world, listener.loop);  // deletes itself, see close()
    if (uv_accept(&listener, connection->stream()) != 0) return connection->close();
    const auto address = local_address(connection->socket_);
    if (!address || *address >> 24 != 127) return connection->reset();
    connection->begin(*address);
}

void Connection::begin(std::uint32_t address) {
    uv_tcp_nodelay(&socket_, 1);
    Host& host = world_.names.host_at(address);
    if (!host.options) {
        auto options = std::make_shared<ServerOptions>();
        options->host_name = host.name;
        options->offers = host.entry->offers;
        host.options = std::move(options);
    }
    world_.tally.session();
    number_ = world_.tally.sessions();
    session_.emplace(host.options, now_.instant);
    world_.policy.opened(talk_, host);
    talk_open_ = true;
    pump();
}

void Connection::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    Connection& self = *of(stream->data);
    if (count == 0) return;
    self.now_ = read_clocks();
    if (count < 0) return self.lost();
    self.received({buffer->base, static_cast<std::size_t>(count)});
}

void Connection::read_or_pause() {
    if (handles_closing_ || peer_gone_) return;
    const bool wanted = ended_ || stalled_ || (tls_ && !tls_->established()) ||
                        (session_->wants_input() && !congested() && !read_again_);
    if (wanted == reading_) return;
    reading_ = wanted;
    if (!wanted) {
        uv_read_stop(stream());
        return;
    }
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(of(handle->data)->world_.read_buffer.get(), kReadBytes);
    };
    if (uv_read_start(stream(), lend, &Connection::on_read) != 0) lost();
}

void Connection::received(std::string_view bytes) {
    if (all_answered_) world_.tally.flight();
    all_answered_ = false;
    if (ended_ || stalled_) return;
    if (tls_) {
        handshake_received(bytes);
    } else {
        session_->bytes_received(bytes, now_.instant);
    }
    pump();
}

void Connection::handshake_received(std::string_view bytes) {
    const bool before = tls_->established();
    const Status status = tls_->ciphertext_received(bytes);
    if (!before && tls_->established()) session_->tls_started(now_.instant);
    feed_plaintext();
    if (!status || tls_->peer_closed()) session_->hang_up();
}

void Connection::feed_plaintext() {
    while (!handles_closing_ && tls_ && !tls_->plaintext().empty() && session_->wants_input() &&
           !congested()) {
        const std::size_t count = tls_->plaintext().size();
        session_->bytes_received(tls_->plaintext(), now_.instant);
        drain_events();
        tls_->consume_plaintext(count);
    }
}

void Connection::lost() {
    peer_gone_ = true;
    session_->connection_lost();
    stalled_ = false;
    drain_events();
    close();
}

// Everything that follows from an input or an answer; then one write.
void Connection::pump() {
    while (!handles_closing_) {
        drain_events();
        if (handles_closing_) return;
        feed_plaintext();
        const bool held_back = session_->output().size() >= kServerOutputBytesMax;
        take_output();
        if (!held_back || congested()) break;
    }
    if (handles_closing_) return;
    finish_if_flushed();
    read_or_pause();
    arm_timer();
}

bool Connection::congested() const { return line_.size() >= kLineBytesMax; }

void Connection::take_output() {
    if (handles_closing_ || congested()) return;
    if (tls_ && tls_->established()) {
        if (!tls_->write(session_->output())) session_->hang_up();
        session_->consume_output(session_->output().size(), now_.instant);
        if (ended_ && !std::exchange(tls_closed_, true)) tls_->close();
    }
    if (tls_) {
        const std::size_t count = tls_->output().size();
        send(tls_->output());
        if (count > 0) tls_->consume_output(count);
    } else if (!session_->output().empty()) {
        send(session_->output());
        session_->consume_output(session_->output().size(), now_.instant);
    }
}

void Connection::send(std::string_view bytes) {
    if (bytes.empty()) return;
    const bool direct =
        world_.rtt == Duration(0) && drip_ == Duration(0) && line_.empty() && !write_under_way_;
    if (direct) {
        uv_buf_t buffer =
            uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
        const int written = uv_try_write(stream(), &buffer, 1);
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
        if (bytes.empty()) {
            all_answered_ = !session_->asked();
            return;
        }
    }
    if (drip_ > Duration(0))
        line_.drip(bytes, now_.instant + world_.rtt, drip_);
    else
        line_.push(bytes, now_.instant + world_.rtt);
    write_due();
}

void Connection::write_due() {
    if (write_under_way_ || handles_closing_) return;
    std::string_view due = line_.due(now_.instant);
    if (due.empty()) return;
    uv_buf_t buffer = uv_buf_init(const_cast<char*>(due.data()), static_cast<unsigned>(due.size()));
    const int written = uv_try_write(stream(), &buffer, 1);
    if (written > 0) line_.consume(static_cast<std::size_t>(written));
    due = line_.due(now_.instant);
    if (!due.empty()) return write_later(due);
    all_answered_ = line_.empty() && !session_->asked();
}

// The socket takes no more: libuv waits for it.
void Connection::write_later(std::string_view bytes) {
    writing_.assign(bytes);
    line_.consume(bytes.size());
    write_under_way_ = true;
    uv_buf_t buffer = uv_buf_init(writing_.data(), static_cast<unsigned>(writing_.size()));
    const auto written = [](uv_write_t* request, int status) {
        Connection& self = *of(request->data);
        self.write_under_way_ = false;
        if (self.handles_closing_) return;
        self.now_ = read_clocks();
        if (status < 0) return self.lost();
        self.write_due();
        self.pump();
    };
    if (uv_write(&write_, stream(), &buffer, 1, written) != 0) {
        write_under_way_ = false;
        lost();
    }
}

void Connection::timer_passed() {
    now_ = read_clocks();
    armed_.reset();
    if (linger_end_ && now_.instant >= *linger_end_) return close();
    if (read_again_ && now_.instant >= *read_again_) read_again_.reset();
    write_due();
    if (handles_closing_) return;
    if (reply_due_ && now_.instant >= *reply_due_) {
        reply_due_.reset();
        reply();
    }
    if (handles_closing_) return;
    session_->deadline_passed(now_.instant);
    pump();
}

void Connection::arm_timer() {
    if (handles_closing_) return;
    std::optional<Instant> due;
    const auto consider = [&due](std::optional<Instant> each) {
        if (each && (!due || *each < *due)) due = each;
    };
    consider(reply_due_);
    consider(read_again_);
    consider(linger_end_);
    if (!write_under_way_) consider(line_.next_due());
    consider(session_->deadline());
    // A timer that passes too early only looks again.
    if (!due || (armed_ && *armed_ <= *due)) return;
    armed_ = due;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - now_.instant).count();
    const auto passed = [](uv_timer_t* timer) { of(timer->data)->timer_passed(); };
    uv_timer_start(&timer_, passed, static_cast<std::uint64_t>(std::max<std::int64_t>(wait, 0)), 0);
}

void Connection::finish_if_flushed() {
    if (!ended_ || shut_down_ || !line_.empty() || write_under_way_ || handles_closing_) return;
    shut_down_ = true;
    linger_end_ = now_.instant + kLinger;
    if (uv_shutdown(&shutdown_, stream(), [](uv_shutdown_t*, int) {}) != 0) close();
}

// The client may open another connection as soon as it is told the end of this one.
void Connection::hang_up() {
    end_talk();
    stalled_ = false;
    ended_ = true;
    reply_due_.reset();
    linger_end_ = now_.instant + kFlushMax;
}

// Reads on, so as to notice when the client has had enough, and never answers again.
void Connection::stall() {
    stalled_ = true;
    reply_due_.reset();
    linger_end_ = now_.instant + kStallMax;
    session_->hang_up();
}

void Connection::end_talk() {
    if (std::exchange(talk_open_, false)) world_.policy.closed(talk_);
}

void Connection::reset() {
    if (handles_closing_) return;
    if (shut_down_ || uv_tcp_close_reset(&socket_, &Connection::on_closed) != 0) return close();
    handles_closing_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), &Connection::on_closed);
    end_talk();
}

void Connection::on_closed(uv_handle_t* handle) {
    Connection* self = of(handle->data);
    if (--self->handles_open_ == 0) delete self;
}

void Connection::close() {
    if (handles_closing_) return;
    handles_closing_ = true;
    end_talk();
    uv_close(reinterpret_cast<uv_handle_t*>(&socket_), &Connection::on_closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), &Connection::on_closed);
}

}  // namespace posthorn::sink
