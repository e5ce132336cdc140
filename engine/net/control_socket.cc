#include "engine/net/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/net/socket_address.h"
#include "engine/net/tcp.h"
#include "engine/net/unix_address.h"

namespace posthorn {
namespace {

constexpr int kBacklog = 16;
constexpr mode_t kOwnerOnly = 0600;

Error failure(ErrorKind kind, const std::string& path, const std::string& why) {
    return {kind, "cannot listen on " + path + ": " + why};
}

// What stands in the way of a socket at `path`; an error if it must stay.
Status clear_the_way(const std::string& path, const UnixAddress& address) {
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) return {};  // gone meanwhile
    if (!S_ISSOCK(found.st_mode))
        return failure(ErrorKind::kConflict, path, "there is a file, and it is no socket");
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return failure(ErrorKind::kIo, path, system_error_text(errno));
    const int error = connect(probe, address.get(), address.length()) == 0 ? 0 : errno;
    ::close(probe);
    if (error == 0 || error == EAGAIN)
        return failure(ErrorKind::kBusy, path, "another process is listening there");
    if (error != ECONNREFUSED && error != ENOENT)
        return failure(ErrorKind::kIo, path, system_error_text(error));
    unlink(path.c_str());
    return {};
}

bool is_trusted(int descriptor) {
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

}  // namespace

struct ControlSocket::Client : TcpEvents {
    Client(ControlSocket& of, ControlClientId its_id, int descriptor)
        : owner(of),
          id(its_id),
          connection(std::make_unique<TcpConnection>(of.loop_, descriptor, *this)) {}

    void connected() override {}
    void writable() override { write(); }
    void connection_lost(std::string_view /*why*/) override { drop(); }

    void bytes_received(std::string_view bytes) override {
        received.append(bytes);
        while (connection && !closing) {
            const std::size_t end = received.view().find('\n', scanned);
            if (end == std::string_view::npos) {
                scanned = received.size();
                if (scanned > kControlLineBytesMax) drop();
                return;
            }
            const std::string line(received.view().substr(0, end));
            received.consume(end + 1);
            scanned = 0;
            if (line.size() > kControlLineBytesMax)
                drop();
            else
                owner.events_.line_received(id, line);
        }
    }

    void write() {
        if (!connection) return;
        to_write.consume(connection->write(to_write.view()));
        if (closing && to_write.empty()) drop();
    }

    void drop() { connection.reset(); }  // buried at the end of the turn

    ControlSocket& owner;
    const ControlClientId id;
    std::unique_ptr<TcpConnection> connection;
    ByteQueue received;
    std::size_t scanned = 0;  // of received: no line end before
    ByteQueue to_write;
    bool closing = false;
};

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(Loop& loop, const std::string& path,
                                                             ControlEvents& events) {
    const std::optional<UnixAddress> address = UnixAddress::of(path);
    if (!address) return failure(ErrorKind::kInvalid, path, "the path is too long for a socket");
    RETURN_IF_ERROR(clear_the_way(path, *address));
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return failure(ErrorKind::kIo, path, system_error_text(errno));
    // Before bind, so that there is no moment when others may connect.
    if (fchmod(descriptor, kOwnerOnly) != 0 ||
        bind(descriptor, address->get(), address->length()) != 0 ||
        ::listen(descriptor, kBacklog) != 0) {
        const int error = errno;
        ::close(descriptor);
        return failure(error == EADDRINUSE ? ErrorKind::kBusy : ErrorKind::kIo, path,
                       system_error_text(error));
    }
    return std::unique_ptr<ControlSocket>(new ControlSocket(loop, path, descriptor, events));
}

ControlSocket::ControlSocket(Loop& loop, std::string path, int descriptor, ControlEvents& events)
    : loop_(loop),
      path_(std::move(path)),
      events_(events),
      listener_(std::make_unique<TcpListener>(
          loop, descriptor, [this](int accepted_one, const Endpoint&) { accepted(accepted_one); })),
      turn_end_(loop, [this] { end_turn(); }) {}

ControlSocket::~ControlSocket() { unlink(path_.c_str()); }

void ControlSocket::accepted(int descriptor) {
    if (clients_.size() >= kControlClientsMax || !is_trusted(descriptor)) {
        ::close(descriptor);
        return;
    }
    const ControlClientId id = next_++;
    clients_.emplace(id, std::make_unique<Client>(*this, id, descriptor));
}

bool ControlSocket::send(ControlClientId id, std::string_view line) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || !found->second->connection || found->second->closing)
        return false;
    Client& client = *found->second;
    if (client.to_write.size() + line.size() >= kControlBacklogBytesMax) {
        client.drop();
        return false;
    }
    client.to_write.append(line);
    client.to_write.append("\n");
    return true;
}

void ControlSocket::close(ControlClientId id) {
    const auto found = clients_.find(id);
    if (found != clients_.end()) found->second->closing = true;
}

void ControlSocket::end_turn() {
    std::vector<ControlClientId> gone;
    for (auto& [id, client] : clients_) {
        if (!client->to_write.empty() || client->closing) client->write();
        if (!client->connection) gone.push_back(id);
    }
    for (const ControlClientId id : gone) clients_.erase(id);
    for (const ControlClientId id : gone) events_.client_gone(id);
}

}  // namespace posthorn
