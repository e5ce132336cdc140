#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "engine/net/loop_state.h"
#include "engine/net/socket_address.h"
#include "engine/net/tcp.h"

namespace posthorn {
namespace {

constexpr int kAcceptsPerTurnMax = 64;  // then the sessions there are have their turn
constexpr Duration kPauseWithoutDescriptors = std::chrono::milliseconds(100);

bool set_option(int descriptor, int level, int option) {
    const int on = 1;
    return setsockopt(descriptor, level, option, &on, sizeof(on)) == 0;
}

// 0 or errno.
int start_listening(int descriptor, const Endpoint& local, TcpListener::Options options) {
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR);
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY);  // what is accepted inherits it
    if (options.share_port && !set_option(descriptor, SOL_SOCKET, SO_REUSEPORT)) return errno;
    if (local.address.is_v6() && !set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY)) return errno;
    SocketAddress address = socket_address(local);
    if (bind(descriptor, address.get(), address.length) != 0) return errno;
    return ::listen(descriptor, options.backlog) == 0 ? 0 : errno;
}

}  // namespace

struct TcpListener::Handle {
    uv_poll_t poll;
    Loop* loop = nullptr;
    int descriptor = -1;  // -1 once the listener is destroyed
    Accepted accepted;
    std::unique_ptr<Timer> pause;  // while the process is out of descriptors

    void watch() {
        CHECK(uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* uv, int, int) {
                  reinterpret_cast<Handle*>(uv)->accept_some();
              }) == 0);
    }

    void accept_some() {
        for (int i = 0; i < kAcceptsPerTurnMax && descriptor >= 0; ++i) {
            SocketAddress remote;
            const int accepted_descriptor =
                accept4(descriptor, remote.get(), &remote.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted_descriptor >= 0) {
                accepted(accepted_descriptor, endpoint_of(remote));
                continue;
            }
            if (errno == EAGAIN) return;
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                uv_poll_stop(&poll);  // it stays readable, and would be tried without end
                pause->arm(loop->now().instant + kPauseWithoutDescriptors);
                return;
            }
            // Otherwise the error is that of a connection that has gone already.
        }
    }
};

Result<std::unique_ptr<TcpListener>> TcpListener::listen(Loop& loop, const Endpoint& local,
                                                         Options options, Accepted accepted) {
    const int family = local.address.is_v6() ? AF_INET6 : AF_INET;
    const int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int error = descriptor < 0 ? errno : start_listening(descriptor, local, options);
    if (error != 0) {
        if (descriptor >= 0) close(descriptor);
        return Error{error == EADDRINUSE ? ErrorKind::kBusy : ErrorKind::kIo,
                     "cannot listen on " + to_string(local) + ": " + system_error_text(error)};
    }
    return std::make_unique<TcpListener>(loop, descriptor, std::move(accepted));
}

TcpListener::TcpListener(Loop& loop, int descriptor, Accepted accepted)
    : handle_(new Handle), local_(local_endpoint(descriptor)) {
    handle_->loop = &loop;
    handle_->descriptor = descriptor;
    handle_->accepted = std::move(accepted);
    handle_->pause = std::make_unique<Timer>(loop, [handle = handle_] { handle->watch(); });
    CHECK(uv_poll_init(&loop.state().uv, &handle_->poll, descriptor) == 0);
    handle_->watch();
}

TcpListener::~TcpListener() {
    handle_->pause.reset();
    const int descriptor = std::exchange(handle_->descriptor, -1);
    close_and_delete(handle_, reinterpret_cast<uv_handle_t*>(&handle_->poll));
    close(descriptor);
}

}  // namespace posthorn
