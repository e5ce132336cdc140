#include "engine/net/control_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/net/control_socket.h"
#include "engine/net/socket_address.h"
#include "engine/net/unix_address.h"

namespace posthorn {

Result<ControlClient> ControlClient::connect(const std::string& path) {
    const std::optional<UnixAddress> address = UnixAddress::of(path);
    if (!address)
        return Error{ErrorKind::kInvalid,
                     "cannot connect to " + path + ": the path is too long for a socket"};
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return Error{ErrorKind::kIo, "cannot open a socket: " + system_error_text(errno)};
    ControlClient client(descriptor);
    if (::connect(descriptor, address->get(), UnixAddress::length()) != 0) {
        const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
        return Error{nobody ? ErrorKind::kNotFound : ErrorKind::kIo,
                     "cannot connect to " + path + ": " + system_error_text(errno)};
    }
    return client;
}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}

ControlClient::~ControlClient() {
    if (descriptor_ >= 0) close(descriptor_);
}

Status ControlClient::send(std::string_view line) {
    std::string rest(line);
    rest += '\n';
    while (!rest.empty()) {
        const ssize_t count = ::send(descriptor_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return Error{ErrorKind::kIo,
                         "the running posthorn has gone: " + system_error_text(errno)};
        rest.erase(0, static_cast<std::size_t>(count));
    }
    return {};
}

Result<std::optional<std::string>> ControlClient::read_line() {
    std::size_t scanned = 0;
    while (true) {
        const std::size_t end = received_.view().find('\n', scanned);
        if (end != std::string_view::npos) {
            std::string line(received_.view().substr(0, end));
            received_.consume(end + 1);
            return std::optional(std::move(line));
        }
        scanned = received_.size();
        if (scanned > kControlBacklogBytesMax)
            return Error{ErrorKind::kCorrupt, "the running posthorn sent a line without end"};
        char bytes[64 * 1024];
        const ssize_t count = recv(descriptor_, bytes, sizeof(bytes), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0 || (count < 0 && errno == ECONNRESET)) return std::optional<std::string>();
        if (count < 0)
            return Error{ErrorKind::kIo,
                         "cannot read from the running posthorn: " + system_error_text(errno)};
        received_.append({bytes, static_cast<std::size_t>(count)});
    }
}

}  // namespace posthorn
