// Stream connections on a loop, thousands of them: TCP over IPv4 and IPv6 with TCP_NODELAY, and any
// connected stream socket. Bytes that the kernel did not take stay with the owner, so that it knows
// what has been written; bytes read are views into one buffer shared by the whole loop. No
// timeouts: the owner destroys a connection whose deadline has passed. Destroying it is safe at any
// time, inside its own callbacks too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/mail/ip_address.h"
#include "engine/net/loop.h"

namespace posthorn {

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

std::string to_string(const Endpoint& endpoint);                // 127.0.0.1:25, [::1]:25
std::optional<Endpoint> parse_endpoint(std::string_view text);  // as above, nothing else

// The owner of a connection. Never called from within a call to the connection.
class TcpEvents {
  public:
    virtual ~TcpEvents() = default;
    virtual void connected() = 0;
    virtual void bytes_received(std::string_view bytes) = 0;  // the view lives for this call
    virtual void writable() = 0;  // after a write that the kernel did not take whole
    // The last event: refused, unreachable, closed by the peer, reset. All that the peer had sent
    // before has been delivered.
    virtual void connection_lost(std::string_view why) = 0;
};

class TcpConnection {
  public:
    struct Handle;

    // Starts to connect; events is told how it went. An error: not even started (no descriptor
    // left, local address not ours, network unreachable), and events hears nothing.
    static Result<std::unique_ptr<TcpConnection>> connect(Loop& loop, const Endpoint& remote,
                                                          const std::optional<IpAddress>& local,
                                                          TcpEvents& events);

    // Takes over a connected, non-blocking stream socket; connected() is not called.
    TcpConnection(Loop& loop, int descriptor, TcpEvents& events);
    ~TcpConnection();  // closes; nothing is called any more
    TcpConnection(const TcpConnection&) = delete;
    TcpConnection& operator=(const TcpConnection&) = delete;

    // How many bytes the kernel took; fewer than all: write the rest when writable() comes. 0 after
    // an error, whose connection_lost() follows.
    [[nodiscard]] std::size_t write(std::string_view bytes);

    // Our half is finished; the peer's is still read until connection_lost().
    void finish_writing();

    // While false the peer's bytes wait in the kernel, and so does its closing.
    void set_reading(bool wanted);

    Endpoint local() const;
    Endpoint remote() const;

  private:
    explicit TcpConnection(Handle* handle) : handle_(handle) {}
    Handle* handle_;
};

// A listening socket. Sockets are accepted in batches and handed over non-blocking.
class TcpListener {
  public:
    // descriptor is the receiver's, to wrap in a TcpConnection or to close.
    using Accepted = std::function<void(int descriptor, const Endpoint& remote)>;

    struct Options {
        int backlog = 4096;
        bool share_port = false;  // SO_REUSEPORT: one listener per thread
    };

    // Port 0: the system chooses, see local().
    static Result<std::unique_ptr<TcpListener>> listen(Loop& loop, const Endpoint& local,
                                                       Options options, Accepted accepted);
    // Takes over a listening socket of any family; remote is then 0.0.0.0:0 if it is no IP.
    TcpListener(Loop& loop, int descriptor, Accepted accepted);
    ~TcpListener();
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;

    const Endpoint& local() const { return local_; }

  private:
    struct Handle;
    Handle* handle_;
    Endpoint local_;
};

}  // namespace posthorn
