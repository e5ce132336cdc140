#include "tools/sink/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "tools/sink/connection.h"

namespace posthorn::sink {

namespace {

constexpr int kBacklog = 8192;  // the kernel lowers it to its own bound
constexpr std::size_t kDnsTalksMax = 1000;
constexpr std::uint64_t kDnsIdleMs = 30'000;

Error failed(const std::string& what, int uv_code) {
    return {ErrorKind::kIo, what + ": " + uv_strerror(uv_code)};
}

std::uint16_t port_of(const sockaddr_storage& address) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// On the loopback interface alone where the kernel allows that to all (Linux 5.7); elsewhere
// Connection::accept() turns away who came from outside.
Result<int> bound_socket(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return Error{ErrorKind::kIo, std::string("socket: ") + std::strerror(errno)};
    const int one = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return socket;
    const int why = errno;
    ::close(socket);
    return Error{ErrorKind::kIo, "SMTP port " + std::to_string(port) + ": " + std::strerror(why)};
}

}  // namespace

Now read_clocks() {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    return {Instant(Duration(static_cast<std::int64_t>(uv_hrtime() / 1000))),
            wall_from_micros(std::int64_t{wall.tv_sec} * 1'000'000 + wall.tv_nsec / 1000)};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    Endpoint out;
    if (colon != std::string_view::npos) {
        out.host = text.substr(0, colon);
        const char* const end = text.data() + text.size();
        const auto [at, fault] = std::from_chars(text.data() + colon + 1, end, out.port);
        in_addr address{};
        if (fault == std::errc() && at == end &&
            inet_pton(AF_INET, out.host.c_str(), &address) == 1)
            return out;
    }
    return Error{ErrorKind::kInvalid, "\"" + std::string(text) +
                                          "\" is no IPv4 address and port, such as 127.0.0.1:2525"};
}

Status SmtpListener::listen(std::uint16_t port) {
    const auto socket = bound_socket(port);
    if (!socket) return socket.error();
    uv_tcp_init(loop_, &socket_);
    socket_.data = this;
    if (const int fault = uv_tcp_open(&socket_, *socket)) return failed("SMTP socket", fault);
    auto* const stream = reinterpret_cast<uv_stream_t*>(&socket_);
    const auto connected = [](uv_stream_t* listener, int status) {
        if (status == 0)
            Connection::accept(static_cast<SmtpListener*>(listener->data)->world_, *listener);
    };
    if (const int fault = uv_listen(stream, kBacklog, connected))
        return failed("SMTP port " + std::to_string(port), fault);
    uv_tcp_simultaneous_accepts(&socket_, 1);  // else libuv sleeps between two accepts
    sockaddr_storage address{};
    int size = sizeof address;
    uv_tcp_getsockname(&socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = port_of(address);
    return {};
}

// One DNS client over TCP: queries with two octets of length in front (RFC 7766). Owns itself.
class DnsListener::TcpTalk {
  public:
    static void accept(DnsListener& listener, uv_stream_t& stream) {
        auto* talk = new TcpTalk(listener);
        if (uv_accept(&stream, talk->stream()) != 0 || listener.talks_ > kDnsTalksMax)
            return talk->close();
        uv_timer_start(
            &talk->timer_, [](uv_timer_t* timer) { of(timer)->close(); }, kDnsIdleMs, 0);
        const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
            DnsListener& listener = of(handle)->listener_;
            *buffer = uv_buf_init(listener.buffer_, sizeof listener.buffer_);
        };
        uv_read_start(talk->stream(), lend,
                      [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
                          if (count < 0) return of(from)->close();
                          of(from)->received({buffer->base, static_cast<std::size_t>(count)});
                      });
    }

  private:
    explicit TcpTalk(DnsListener& listener) : listener_(listener) {
        ++listener_.talks_;
        uv_tcp_init(listener.loop_, &socket_);
        uv_timer_init(listener.loop_, &timer_);
        socket_.data = timer_.data = this;
    }
    template <class Handle>
    static TcpTalk* of(Handle* handle) {
        return static_cast<TcpTalk*>(handle->data);
    }
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&socket_); }

    void received(std::string_view bytes) {
        input_.append(bytes);
        while (input_.size() >= 2) {
            ByteReader reader(input_.view());
            const std::size_t length = reader.u16();
            const std::string_view query = reader.bytes(length);
            if (!reader.ok()) return;
            const std::string answer = answer_bytes(listener_.zone_, query, true);
            input_.consume(2 + length);
            if (!answer.empty() && !send(answer)) return close();
        }
    }

    // Whoever does not read what he asked for is dropped.
    bool send(const std::string& answer) {
        std::string framed;
        put_u16(framed, static_cast<std::uint16_t>(answer.size()));
        framed += answer;
        uv_buf_t buffer = uv_buf_init(framed.data(), static_cast<unsigned>(framed.size()));
        return uv_try_write(stream(), &buffer, 1) == static_cast<int>(framed.size());
    }

    void close() {
        if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&socket_))) return;
        const auto closed = [](uv_handle_t* handle) {
            TcpTalk* talk = of(handle);
            if (--talk->handles_open_ > 0) return;
            --talk->listener_.talks_;
            delete talk;
        };
        uv_close(reinterpret_cast<uv_handle_t*>(&socket_), closed);
        uv_close(reinterpret_cast<uv_handle_t*>(&timer_), closed);
    }

    DnsListener& listener_;
    uv_tcp_t socket_;
    uv_timer_t timer_;
    ByteQueue input_;
    int handles_open_ = 2;
};

Status DnsListener::bind_udp(const Endpoint& endpoint, std::uint16_t port) {
    sockaddr_in address{};
    uv_ip4_addr(endpoint.host.c_str(), port, &address);
    uv_udp_init(loop_, &udp_);
    udp_.data = this;
    if (const int fault = uv_udp_bind(&udp_, reinterpret_cast<const sockaddr*>(&address), 0))
        return failed("DNS port " + std::to_string(port) + "/udp", fault);
    sockaddr_storage bound{};
    int size = sizeof bound;
    uv_udp_getsockname(&udp_, reinterpret_cast<sockaddr*>(&bound), &size);
    port_ = port_of(bound);
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& self = *static_cast<DnsListener*>(handle->data);
        *buffer = uv_buf_init(self.buffer_, sizeof self.buffer_);
    };
    const auto received = [](uv_udp_t* socket, ssize_t count, const uv_buf_t* buffer,
                             const sockaddr* from, unsigned) {
        if (count <= 0 || !from) return;
        static_cast<DnsListener*>(socket->data)
            ->asked({buffer->base, static_cast<std::size_t>(count)}, *from);
    };
    if (const int fault = uv_udp_recv_start(&udp_, lend, received))
        return failed("DNS port " + std::to_string(port) + "/udp", fault);
    return {};
}

void DnsListener::asked(std::string_view query, const sockaddr& from) {
    std::string answer = answer_bytes(zone_, query, false);
    if (answer.empty()) return;
    uv_buf_t buffer = uv_buf_init(answer.data(), static_cast<unsigned>(answer.size()));
    uv_udp_try_send(&udp_, &buffer, 1, &from);  // a lost answer is a lost datagram
}

Status DnsListener::bind_tcp(const Endpoint& endpoint, std::uint16_t port) {
    sockaddr_in address{};
    uv_ip4_addr(endpoint.host.c_str(), port, &address);
    uv_tcp_init(loop_, &tcp_);
    tcp_.data = this;
    if (const int fault = uv_tcp_bind(&tcp_, reinterpret_cast<const sockaddr*>(&address), 0))
        return failed("DNS port " + std::to_string(port) + "/tcp", fault);
    const auto connected = [](uv_stream_t* listener, int status) {
        if (status == 0) TcpTalk::accept(*static_cast<DnsListener*>(listener->data), *listener);
    };
    if (const int fault = uv_listen(reinterpret_cast<uv_stream_t*>(&tcp_), kBacklog, connected))
        return failed("DNS port " + std::to_string(port) + "/tcp", fault);
    return {};
}

namespace {

// A port that is free for UDP and for TCP: one chosen by the system for the one may be taken by a
// connection of the other. 0 when there is none among many tries.
std::uint16_t free_port(const Endpoint& endpoint) {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
        sockaddr_in address{};
        uv_ip4_addr(endpoint.host.c_str(), 0, &address);
        socklen_t size = sizeof address;
        const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto* bound = reinterpret_cast<sockaddr*>(&address);
        const bool free = ::bind(udp, bound, size) == 0 && ::getsockname(udp, bound, &size) == 0 &&
                          ::bind(tcp, bound, size) == 0;
        ::close(udp);
        ::close(tcp);
        if (free) return ntohs(address.sin_port);
    }
    return 0;
}

}  // namespace

Status DnsListener::listen(const Endpoint& endpoint) {
    const std::uint16_t port = endpoint.port != 0 ? endpoint.port : free_port(endpoint);
    RETURN_IF_ERROR(bind_udp(endpoint, port));
    return bind_tcp(endpoint, port_);
}

}  // namespace posthorn::sink
