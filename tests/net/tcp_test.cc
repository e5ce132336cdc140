#include "engine/net/tcp.h"

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/net/file_limit.h"

namespace posthorn {
namespace {

Endpoint loopback(std::uint16_t port = 0) { return {*IpAddress::parse("127.0.0.1"), port}; }

// One end of a connection that remembers what it was told.
struct Peer : TcpEvents {
    explicit Peer(Loop& on) : loop(on) {}

    void connected() override { is_connected = true; }
    void bytes_received(std::string_view bytes) override {
        received += bytes;
        if (destroy_on_bytes) connection.reset();
    }
    void writable() override {
        ++times_writable;
        pump();
    }
    void connection_lost(std::string_view why) override {
        ++times_lost;
        lost = why;
        if (destroy_on_loss) connection.reset();
    }
    void pump() {
        if (connection) to_write.erase(0, connection->write(to_write));
    }
    void say(std::string_view text) {
        to_write += text;
        pump();
    }

    Loop& loop;
    std::unique_ptr<TcpConnection> connection;
    std::string received, to_write, lost;
    bool is_connected = false, destroy_on_bytes = false, destroy_on_loss = true;
    int times_lost = 0, times_writable = 0;
};

class TcpTest : public testing::TestWithParam<const char*> {
  protected:
    void listen(const Endpoint& at) {
        auto made = TcpListener::listen(loop_, at, {}, [this](int descriptor, const Endpoint&) {
            server_descriptor_ = descriptor;
            server_.connection = std::make_unique<TcpConnection>(loop_, descriptor, server_);
        });
        ASSERT_TRUE(made) << made.error().message;
        listener_ = std::move(*made);
    }
    void connect(std::optional<IpAddress> from = {}) {
        auto made = TcpConnection::connect(loop_, listener_->local(), from, client_);
        ASSERT_TRUE(made) << made.error().message;
        client_.connection = std::move(*made);
        until([&] { return client_.is_connected && server_.connection; });
    }
    template <class Condition>
    void until(Condition condition) {
        while (!condition()) loop_.turn();
    }

    Loop loop_;
    std::unique_ptr<TcpListener> listener_;
    Peer client_{loop_};
    Peer server_{loop_};
    int server_descriptor_ = -1;
};

TEST_P(TcpTest, BytesGoBothWaysAndEndWithTheConnection) {
    const IpAddress address = *IpAddress::parse(GetParam());
    auto probe = TcpListener::listen(loop_, {address, 0}, {},
                                     [](int descriptor, const Endpoint&) { close(descriptor); });
    if (!probe && address.is_v6()) GTEST_SKIP() << "no IPv6 here: " << probe.error().message;
    listen({address, 0});
    connect();
    client_.say("EHLO a\r\n");
    until([&] { return server_.received == "EHLO a\r\n"; });
    server_.say("250 b\r\n");
    until([&] { return client_.received == "250 b\r\n"; });
    EXPECT_EQ(client_.connection->remote(), listener_->local());
    EXPECT_EQ(server_.connection->remote(), client_.connection->local());
    server_.connection.reset();
    until([&] { return client_.times_lost > 0; });
    EXPECT_EQ(client_.lost, "closed by the peer");
}
INSTANTIATE_TEST_SUITE_P(Families, TcpTest, testing::Values("127.0.0.1", "::1"));

TEST_F(TcpTest, LeavesFromTheSourceAddressAskedFor) {
    listen(loopback());
    connect(IpAddress::parse("127.0.0.77"));
    EXPECT_EQ(server_.connection->remote().address.to_string(), "127.0.0.77");
}

TEST_F(TcpTest, SaysSoWhenItCannotLeaveFromAnAddress) {
    listen(loopback());
    const auto foreign =
        TcpConnection::connect(loop_, listener_->local(), IpAddress::parse("192.0.2.1"), client_);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().message, "cannot connect to " + to_string(listener_->local()) +
                                           " from 192.0.2.1: address not available");
    EXPECT_FALSE(
        TcpConnection::connect(loop_, listener_->local(), IpAddress::parse("::1"), client_));
}

TEST_F(TcpTest, ARefusedConnectionIsLostWithTheReason) {
    listen(loopback());
    const Endpoint closed = listener_->local();
    listener_.reset();
    auto made = TcpConnection::connect(loop_, closed, {}, client_);
    ASSERT_TRUE(made);
    client_.connection = std::move(*made);
    until([&] { return client_.times_lost > 0; });
    EXPECT_EQ(client_.lost, "connection refused");
    EXPECT_FALSE(client_.is_connected);
}

TEST_F(TcpTest, WhatTheKernelDoesNotTakeStaysWithTheOwnerUntilThereIsRoom) {
    listen(loopback());
    connect();
    server_.connection->set_reading(false);
    const std::string much(32 << 20, 'x');
    client_.say(much);
    ASSERT_GT(client_.to_write.size(), 0U);
    ASSERT_LT(client_.to_write.size(), much.size());
    EXPECT_EQ(client_.connection->write("more"), 0U);
    EXPECT_TRUE(server_.received.empty());
    server_.connection->set_reading(true);
    until([&] { return server_.received.size() == much.size(); });
    EXPECT_TRUE(client_.to_write.empty());
    EXPECT_GT(client_.times_writable, 0);

    // From now on the loop waits: it is not woken for the room that nobody needs.
    bool waited = false;
    Timer timer(loop_, [&] { waited = true; });
    timer.arm(loop_.now().instant + std::chrono::milliseconds(5));
    int turns = 0;
    for (; !waited; ++turns) loop_.turn();
    EXPECT_LT(turns, 10);
}

TEST_F(TcpTest, WhatWasSentBeforeAResetIsDeliveredBeforeTheLoss) {
    listen(loopback());
    connect();
    client_.say("never read");
    server_.say("421 too many connections\r\n");
    const linger at_once{1, 0};
    ASSERT_EQ(setsockopt(server_descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    server_.connection.reset();
    until([&] { return client_.times_lost > 0; });
    EXPECT_EQ(client_.received, "421 too many connections\r\n");
    EXPECT_EQ(client_.lost, "connection reset by peer");
}

TEST_F(TcpTest, AWriteIntoAClosedConnectionLosesItAfterTheLastWords) {
    listen(loopback());
    connect();
    client_.destroy_on_loss = false;
    server_.say("bye");
    server_.connection.reset();
    while (client_.times_lost == 0) {
        // The first write is answered by a reset, a later one fails.
        if (client_.connection->write("x") == 0) loop_.turn();
    }
    EXPECT_EQ(client_.received, "bye");
    EXPECT_EQ(client_.times_lost, 1);
    EXPECT_EQ(client_.connection->write("x"), 0U);
}

TEST_F(TcpTest, AFinishedWriterStillReads) {
    listen(loopback());
    connect();
    server_.destroy_on_loss = false;
    client_.say("last");
    client_.connection->finish_writing();
    until([&] { return server_.times_lost > 0; });
    EXPECT_EQ(server_.received, "last");
    EXPECT_EQ(server_.lost, "closed by the peer");
    EXPECT_EQ(client_.times_lost, 0);
}

TEST_F(TcpTest, AConnectionMayBeDestroyedInItsOwnCallbacks) {
    listen(loopback());
    connect();
    client_.destroy_on_bytes = true;
    server_.say(std::string(1 << 20, 'y'));
    until([&] { return client_.connection == nullptr; });
    until([&] { return server_.times_lost > 0; });
    EXPECT_EQ(client_.times_lost, 0);
}

TEST_F(TcpTest, ServesAThousandConnectionsAtOnce) {
    constexpr std::size_t kConnections = 1000;
    ASSERT_GE(raise_open_file_limit(2 * kConnections + 100), 2 * kConnections + 100);
    struct Echo : TcpEvents {
        std::unique_ptr<TcpConnection> connection;
        void connected() override {}
        void writable() override {}
        void bytes_received(std::string_view bytes) override {
            EXPECT_EQ(connection->write(bytes), bytes.size());
        }
        void connection_lost(std::string_view) override { connection.reset(); }
    };
    std::vector<std::unique_ptr<Echo>> echoes;
    auto listener = TcpListener::listen(loop_, loopback(), {}, [&](int fd, const Endpoint&) {
        echoes.push_back(std::make_unique<Echo>());
        echoes.back()->connection = std::make_unique<TcpConnection>(loop_, fd, *echoes.back());
    });
    ASSERT_TRUE(listener);
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < kConnections; ++i) {
        peers.push_back(std::make_unique<Peer>(loop_));
        auto made = TcpConnection::connect(loop_, (*listener)->local(), {}, *peers.back());
        ASSERT_TRUE(made) << made.error().message;
        peers.back()->connection = std::move(*made);
    }
    until([&] {
        return std::ranges::all_of(peers, [](const auto& peer) { return peer->is_connected; });
    });
    for (std::size_t i = 0; i < kConnections; ++i) peers[i]->say(std::to_string(i));
    until([&] {
        return std::ranges::all_of(peers, [](const auto& peer) { return !peer->received.empty(); });
    });
    for (std::size_t i = 0; i < kConnections; ++i) EXPECT_EQ(peers[i]->received, std::to_string(i));
}

TEST_F(TcpTest, APortInUseIsNamed) {
    listen(loopback());
    const auto second = TcpListener::listen(loop_, listener_->local(), {}, {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
    EXPECT_EQ(second.error().message,
              "cannot listen on " + to_string(listener_->local()) + ": address already in use");
}

TEST(Endpoint, IsReadAndWrittenAsPeopleWriteIt) {
    for (const char* text : {"127.0.0.1:25", "[::1]:65535"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(to_string(*endpoint), text);
    }
    for (const char* text : {"", "127.0.0.1", "127.0.0.1:", ":25", "::1:25", "[127.0.0.1]:25",
                             "127.0.0.1:65536", "127.0.0.1:25x", "mx.example:25", "[]:25"})
        EXPECT_FALSE(parse_endpoint(text)) << text;
}

}  // namespace
}  // namespace posthorn
