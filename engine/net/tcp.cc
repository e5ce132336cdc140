// TcpConnection. A uv_poll handle on our own descriptor rather than a uv_tcp: no request per write,
// exact counts of what the kernel took, and one buffer for all reads.
#include "engine/net/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "engine/net/loop_state.h"
#include "engine/net/socket_address.h"

namespace posthorn {
namespace {

// Of one connection in one turn, so that a fast peer does not starve the others.
constexpr int kReadsPerTurnMax = 4;

Error system_failure(const std::string& doing, int error) {
    return {ErrorKind::kIo, doing + ": " + system_error_text(error)};
}

void set_flag(int descriptor, int level, int option) {
    const int on = 1;
    setsockopt(descriptor, level, option, &on, sizeof(on));
}

int pending_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    return error;
}

// 0 or errno.
int start_connect(int descriptor, const Endpoint& remote, const std::optional<IpAddress>& local) {
    set_flag(descriptor, IPPROTO_TCP, TCP_NODELAY);
    if (local) {
        // The port is then chosen at connect, by the whole four-tuple: no exhaustion of ports.
        set_flag(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
        SocketAddress address = socket_address({*local, 0});
        if (bind(descriptor, address.get(), address.length) != 0) return errno;
    }
    SocketAddress address = socket_address(remote);
    if (connect(descriptor, address.get(), address.length) == 0) return 0;
    return errno == EINPROGRESS ? 0 : errno;
}

}  // namespace

struct TcpConnection::Handle {
    uv_poll_t poll;
    LoopState* loop = nullptr;
    TcpEvents* events = nullptr;  // null once the connection is destroyed
    int descriptor = -1;
    bool connecting = false;
    bool reading = true;
    bool awaits_room = false;  // the last write was not taken whole
    bool lost = false;
    int write_error = 0;  // errno of a failed write, the reason that is told

    static Handle* make(Loop& loop, int descriptor, TcpEvents& events, bool connecting);
    void watch();
    void polled(int status, int happened);
    void connect_finished();
    void read(bool to_the_end);
    void lose(const std::string& why);
    bool alive() const { return events != nullptr && !lost; }
};

using Handle = TcpConnection::Handle;

Handle* Handle::make(Loop& loop, int descriptor, TcpEvents& events, bool connecting) {
    auto* handle = new Handle;
    handle->loop = &loop.state();
    handle->events = &events;
    handle->descriptor = descriptor;
    handle->connecting = connecting;
    CHECK(uv_poll_init(&handle->loop->uv, &handle->poll, descriptor) == 0);
    handle->watch();
    return handle;
}

void Handle::watch() {
    const int wanted =
        connecting ? UV_WRITABLE : (reading ? UV_READABLE : 0) | (awaits_room ? UV_WRITABLE : 0);
    if (wanted == 0) {
        uv_poll_stop(&poll);
        return;
    }
    CHECK(uv_poll_start(&poll, wanted, [](uv_poll_t* uv, int status, int happened) {
              reinterpret_cast<Handle*>(uv)->polled(status, happened);
          }) == 0);
}

void Handle::polled(int status, int happened) {
    if (connecting) {
        connect_finished();
        return;
    }
    // libuv has stopped watching: the socket has an error. What came before it is still there.
    if (status < 0) {
        read(true);
        return;
    }
    if ((happened & UV_WRITABLE) != 0 && awaits_room) {
        awaits_room = false;
        watch();
        events->writable();
    }
    if ((happened & UV_READABLE) != 0 && alive() && reading) read(false);
}

void Handle::connect_finished() {
    if (const int error = pending_error(descriptor); error != 0) {
        lose(system_error_text(error));
        return;
    }
    connecting = false;
    watch();
    events->connected();
}

void Handle::read(bool to_the_end) {
    for (int i = 0; alive() && (to_the_end || (reading && i < kReadsPerTurnMax)); ++i) {
        const ssize_t count = recv(descriptor, loop->read_buffer.get(), kReadBufferBytes, 0);
        if (count > 0) {
            const auto size = static_cast<std::size_t>(count);
            events->bytes_received({loop->read_buffer.get(), size});
            if (size < kReadBufferBytes && !to_the_end) return;
            continue;
        }
        const int error = count < 0 ? errno : 0;
        if (error == EINTR) continue;
        if (error == EAGAIN && !to_the_end) return;
        if (write_error != 0)
            lose(system_error_text(write_error));
        else if (error == 0)
            lose("closed by the peer");
        else
            lose(system_error_text(error == EAGAIN ? ECONNABORTED : error));
    }
}

void Handle::lose(const std::string& why) {
    lost = true;
    uv_poll_stop(&poll);
    events->connection_lost(why);
}

Result<std::unique_ptr<TcpConnection>> TcpConnection::connect(Loop& loop, const Endpoint& remote,
                                                              const std::optional<IpAddress>& local,
                                                              TcpEvents& events) {
    if (local && local->is_v6() != remote.address.is_v6())
        return Error{ErrorKind::kInvalid, "cannot connect from " + local->to_string() + " to " +
                                              posthorn::to_string(remote) +
                                              ": not of the same family"};
    const int family = remote.address.is_v6() ? AF_INET6 : AF_INET;
    const int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return system_failure("cannot open a socket", errno);
    if (const int error = start_connect(descriptor, remote, local); error != 0) {
        close(descriptor);
        const std::string from = local ? " from " + local->to_string() : "";
        return system_failure("cannot connect to " + posthorn::to_string(remote) + from, error);
    }
    return std::unique_ptr<TcpConnection>(
        new TcpConnection(Handle::make(loop, descriptor, events, true)));
}

TcpConnection::TcpConnection(Loop& loop, int descriptor, TcpEvents& events)
    : handle_(Handle::make(loop, descriptor, events, false)) {}

TcpConnection::~TcpConnection() {
    handle_->events = nullptr;
    const int descriptor = handle_->descriptor;
    close_and_delete(handle_, reinterpret_cast<uv_handle_t*>(&handle_->poll));
    close(descriptor);
}

std::size_t TcpConnection::write(std::string_view bytes) {
    Handle& handle = *handle_;
    if (handle.connecting || handle.awaits_room || handle.lost || handle.write_error != 0) return 0;
    if (bytes.empty()) return 0;
    ssize_t count = 0;
    do {
        count = send(handle.descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) {
        // Told from the loop, after what the peer had sent. Shut down, the socket is readable.
        handle.write_error = errno;
        shutdown(handle.descriptor, SHUT_RDWR);
        handle.reading = true;
        handle.watch();
        return 0;
    }
    const std::size_t taken = count < 0 ? 0 : static_cast<std::size_t>(count);
    if (taken < bytes.size()) {
        handle.awaits_room = true;
        handle.watch();
    }
    return taken;
}

void TcpConnection::finish_writing() { shutdown(handle_->descriptor, SHUT_WR); }

void TcpConnection::set_reading(bool wanted) {
    if (handle_->reading == wanted || handle_->lost || handle_->write_error != 0) return;
    handle_->reading = wanted;
    if (!handle_->connecting) handle_->watch();
}

Endpoint TcpConnection::local() const { return local_endpoint(handle_->descriptor); }
Endpoint TcpConnection::remote() const { return remote_endpoint(handle_->descriptor); }

}  // namespace posthorn
