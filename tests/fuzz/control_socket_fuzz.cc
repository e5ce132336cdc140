// Any bytes into the control socket, in any pieces: the lines that come out are those that went in.
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/control_socket.h"
#include "engine/net/unix_address.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

std::string_view piece_of(FuzzInput& input) {
    const std::size_t size = std::size_t{1} + input.octet();
    return input.text(size);
}

class Server : private ControlEvents {
  public:
    Server() {
        path_ = std::filesystem::temp_directory_path() / ("fuzz-" + std::to_string(::getpid()));
        auto socket = ControlSocket::listen(loop_, path_, *this);
        CHECK(socket.has_value());
        socket_ = std::move(*socket);
    }

    std::vector<std::string> take(FuzzInput input) {
        lines_.clear();
        const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto address = UnixAddress::of(path_);
        CHECK(::connect(client, address->get(), address->length()) == 0);
        while (socket_->clients() == 0) loop_.turn();
        while (!input.empty()) {
            const std::string_view piece = piece_of(input);
            CHECK(::send(client, piece.data(), piece.size(), 0) ==
                  static_cast<ssize_t>(piece.size()));
        }
        ::shutdown(client, SHUT_WR);
        while (socket_->clients() > 0) loop_.turn();
        ::close(client);
        return lines_;
    }

  private:
    void line_received(ControlClientId client, std::string_view line) override {
        lines_.emplace_back(line);
        CHECK(socket_->send(client, "{}"));
    }
    void client_gone(ControlClientId) override {}

    Loop loop_;
    std::string path_;
    std::unique_ptr<ControlSocket> socket_;
    std::vector<std::string> lines_;
};

std::vector<std::string> expected(FuzzInput input) {
    std::string all;
    while (!input.empty()) all += piece_of(input);
    std::vector<std::string> lines;
    for (std::size_t end; (end = all.find('\n')) != std::string::npos; all.erase(0, end + 1))
        lines.push_back(all.substr(0, end));
    return lines;
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static posthorn::Server server;
    const posthorn::FuzzInput input(bytes, size);
    CHECK(server.take(input) == posthorn::expected(input));
    return 0;
}
