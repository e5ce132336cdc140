// The floor: copies canned bytes to an SMTP server over some connections, and counts the replies.
// Renders nothing, remembers nothing, decides nothing; one thread, one send() per flight.
//   pipelining  MAIL, RCPT, DATA in one flight; the message when 354 has come; the next after its
//   250 ahead       the same with the next MAIL, RCPT, DATA behind the message (RFC 2920) bdat
//   MAIL, RCPT, BDAT LAST and the message in one flight, so many of them unanswered
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
    std::string mode = "pipelining";
    std::uint16_t port = 0;
    std::uint64_t messages = 100'000;
    std::size_t bytes = 10'240;
    std::size_t connections = 100;
    std::size_t in_flight = 4;
};

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "raw_sender: %s\n", why.c_str());
    std::exit(1);
}

// What every connection sends, over and over.
struct Canned {
    explicit Canned(const Options& options) {
        std::string message =
            "From: <a@acme.test>\r\nTo: <b@d.test>\r\nSubject: raw\r\nMessage-ID: "
            "<1@raw.test>\r\n\r\n";
        while (message.size() + 78 < options.bytes) message += std::string(76, 'x') + "\r\n";
        const std::string envelope = "MAIL FROM:<a@acme.test>\r\nRCPT TO:<b@d.test>\r\n";
        commands = envelope + "DATA\r\n";
        body = message + ".\r\n";
        body_and_commands = body + commands;
        chunk = envelope + "BDAT " + std::to_string(message.size()) + " LAST\r\n" + message;
    }
    std::string commands, body, body_and_commands, chunk;
};

class Connection {
  public:
    enum class Mode { kPipelining, kAhead, kBdat };

    Connection(int descriptor, Mode mode, std::size_t in_flight, const Canned& canned,
               std::uint64_t& left, std::uint64_t& delivered)
        : descriptor_(descriptor),
          mode_(mode),
          in_flight_max_(in_flight),
          canned_(canned),
          left_(left),
          delivered_(delivered) {}

    int descriptor() const { return descriptor_; }
    bool wants_to_write() const { return !unsent_.empty(); }

    void bytes_received(std::string_view bytes) {
        for (const char octet : bytes) {
            if (column_ == 0) first_ = octet;
            if (column_ == 3) last_line_ = octet != '-';
            ++column_;
            if (octet != '\n') continue;
            column_ = 0;
            if (last_line_) replied();
        }
        write();
    }

    void write() {
        while (!unsent_.empty()) {
            const ssize_t count = send(descriptor_, unsent_.front().data(), unsent_.front().size(),
                                       MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && errno == EAGAIN) return;
            if (count < 0) fail("the peer closed");
            unsent_.front().remove_prefix(static_cast<std::size_t>(count));
            if (unsent_.front().empty()) unsent_.erase(unsent_.begin());
        }
    }

  private:
    // Replies come in the order of what was sent: three before a message is taken, in chunks two.
    void replied() {
        if (first_ != '2' && first_ != '3') fail(std::string("refused with ") + first_ + "yz");
        if (greeted_ < 2) {
            if (greeted_++ == 0)
                unsent_.emplace_back("EHLO raw.test\r\n");
            else
                fill();
            return;
        }
        const std::size_t dot = mode_ == Mode::kBdat ? 2 : 3;
        if (position_ == 2 && mode_ != Mode::kBdat) give_body();
        if (position_++ < dot) return;
        position_ = 0;
        --in_flight_;
        ++delivered_;
        fill();
    }

    void fill() {
        const std::size_t most = mode_ == Mode::kBdat ? in_flight_max_ : 1;
        while (in_flight_ < most && left_ > 0) {
            --left_;
            ++in_flight_;
            unsent_.emplace_back(mode_ == Mode::kBdat ? canned_.chunk : canned_.commands);
        }
    }

    void give_body() {
        const bool next = mode_ == Mode::kAhead && left_ > 0;
        unsent_.emplace_back(next ? canned_.body_and_commands : canned_.body);
        if (!next) return;
        --left_;
        ++in_flight_;
    }

    int descriptor_;
    Mode mode_;
    std::size_t in_flight_max_;
    const Canned& canned_;
    std::uint64_t& left_;
    std::uint64_t& delivered_;
    std::vector<std::string_view> unsent_;  // stretches of what is canned
    std::size_t column_ = 0;                // of the reply line that is read
    char first_ = 0;
    bool last_line_ = true;
    int greeted_ = 0;  // greeting, EHLO
    std::size_t position_ = 0, in_flight_ = 0;
};

int connect_to(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
        fail("cannot connect to 127.0.0.1:" + std::to_string(port));
    return descriptor;
}

void watch(int epoll, int operation, Connection& connection) {
    epoll_event event{};
    event.events = EPOLLIN | (connection.wants_to_write() ? EPOLLOUT : 0U);
    event.data.ptr = &connection;
    if (epoll_ctl(epoll, operation, connection.descriptor(), &event) != 0) fail("epoll_ctl");
}

void run(const Options& options, Connection::Mode mode) {
    const Canned canned(options);
    std::uint64_t left = options.messages, delivered = 0;
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Connection> connections;
    connections.reserve(options.connections);
    for (std::size_t i = 0; i < options.connections; ++i) {
        connections.emplace_back(connect_to(options.port), mode, options.in_flight, canned, left,
                                 delivered);
        watch(epoll, EPOLL_CTL_ADD, connections.back());
    }
    std::vector<char> buffer(64 * 1024);
    epoll_event events[256];
    while (delivered < options.messages) {
        const int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            Connection& connection = *static_cast<Connection*>(events[i].data.ptr);
            const bool waited = connection.wants_to_write();
            if ((events[i].events & EPOLLOUT) != 0) connection.write();
            if ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0) {
                const ssize_t got =
                    recv(connection.descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
                if (got == 0) fail("the peer closed");
                if (got > 0)
                    connection.bytes_received({buffer.data(), static_cast<std::size_t>(got)});
            }
            if (waited != connection.wants_to_write()) watch(epoll, EPOLL_CTL_MOD, connection);
        }
    }
    for (const Connection& connection : connections) close(connection.descriptor());
    close(epoll);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app(
        "Copies canned bytes to an SMTP server of 127.0.0.1: the floor of what sending costs.");
    app.add_option("--mode", options.mode, "how far ahead of the replies it writes")
        ->check(CLI::IsMember({"pipelining", "ahead", "bdat"}));
    app.add_option("--port", options.port)->required();
    app.add_option("--messages", options.messages);
    app.add_option("--bytes", options.bytes, "of each message");
    app.add_option("--connections", options.connections);
    app.add_option("--in-flight", options.in_flight,
                   "messages unanswered on a connection, of bdat");
    CLI11_PARSE(app, argc, argv);
    using Mode = Connection::Mode;
    run(options, options.mode == "bdat"    ? Mode::kBdat
                 : options.mode == "ahead" ? Mode::kAhead
                                           : Mode::kPipelining);
}
