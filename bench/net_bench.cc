// What a hop between threads and a round trip over loopback cost.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/net/loop.h"
#include "engine/net/tcp.h"

namespace posthorn {
namespace {

// One item there and back between two loops, each way a wake-up.
void mailbox_round_trip(benchmark::State& state) {
    Loop here;
    std::unique_ptr<Mailbox<int>> answers;
    std::vector<int> items;
    int awaited = 0;
    Wake woken(here, [&] {
        answers->take(items);
        awaited -= static_cast<int>(items.size());
    });
    answers = std::make_unique<Mailbox<int>>(1024, &woken);

    Loop there;
    std::unique_ptr<Mailbox<int>> questions;
    std::vector<int> asked;
    Wake other(there, [&] {
        questions->take(asked);
        (void)answers->try_push_all(asked);
    });
    questions = std::make_unique<Mailbox<int>>(1024, &other);
    std::thread thread([&] { there.run(); });

    const auto batch = static_cast<int>(state.range(0));
    for (auto _ : state) {
        awaited = batch;
        for (int i = 0; i < batch; ++i) (void)questions->try_push(int{i});
        while (awaited > 0) here.turn();
    }
    state.SetItemsProcessed(state.iterations() * batch);
    there.stop();
    thread.join();
}
BENCHMARK(mailbox_round_trip)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();

// The same thread pushes and takes: the lock and the moves alone.
void mailbox_push_and_take(benchmark::State& state) {
    Mailbox<std::uint64_t> mailbox(1024);
    std::vector<std::uint64_t> items;
    for (auto _ : state) {
        for (std::uint64_t i = 0; i < 64; ++i) (void)mailbox.try_push(std::uint64_t{i});
        mailbox.take(items);
        benchmark::DoNotOptimize(items.data());
    }
    state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(mailbox_push_and_take);

// Echoes, or counts what comes back.
struct Peer : TcpEvents {
    explicit Peer(bool echoes_all) : echoes(echoes_all) {}
    void connected() override { is_connected = true; }
    void writable() override {}
    void bytes_received(std::string_view bytes) override {
        received += bytes.size();
        if (echoes && connection->write(bytes) != bytes.size()) std::abort();
    }
    void connection_lost(std::string_view) override { connection.reset(); }

    const bool echoes;
    std::unique_ptr<TcpConnection> connection;
    bool is_connected = false;
    std::size_t received = 0;
};

// One message there and back on each of many connections, both ends on one loop.
void tcp_round_trip(benchmark::State& state) {
    const auto connections = static_cast<std::size_t>(state.range(0));
    const std::string message(static_cast<std::size_t>(state.range(1)), 'x');
    Loop loop;
    std::vector<std::unique_ptr<Peer>> servers, clients;
    auto listener = TcpListener::listen(
        loop, *parse_endpoint("127.0.0.1:0"), {}, [&](int descriptor, const Endpoint&) {
            servers.push_back(std::make_unique<Peer>(true));
            servers.back()->connection =
                std::make_unique<TcpConnection>(loop, descriptor, *servers.back());
        });
    for (std::size_t i = 0; i < connections; ++i) {
        clients.push_back(std::make_unique<Peer>(false));
        auto made = TcpConnection::connect(loop, (*listener)->local(), {}, *clients.back());
        if (!made) {
            state.SkipWithError(made.error().message.c_str());
            return;
        }
        clients.back()->connection = std::move(*made);
        while (!clients.back()->is_connected || servers.size() <= i) loop.turn();
    }
    for (auto _ : state) {
        for (auto& client : clients) {
            client->received = 0;
            if (client->connection->write(message) != message.size()) std::abort();
        }
        for (auto& client : clients)
            while (client->received < message.size()) loop.turn();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(tcp_round_trip)->Args({1, 100})->Args({100, 100})->Args({400, 100})->Args({100, 10'000});

// A connection made, accepted and closed.
void tcp_connect(benchmark::State& state) {
    Loop loop;
    std::vector<std::unique_ptr<Peer>> servers;
    auto listener = TcpListener::listen(
        loop, *parse_endpoint("127.0.0.1:0"), {}, [&](int descriptor, const Endpoint&) {
            servers.push_back(std::make_unique<Peer>(true));
            servers.back()->connection =
                std::make_unique<TcpConnection>(loop, descriptor, *servers.back());
        });
    std::uint8_t last = 0;
    for (auto _ : state) {
        Peer client(false);
        // From ever other addresses: ports of closed connections stay taken for a minute.
        const std::uint8_t from[] = {127, 0, static_cast<std::uint8_t>(1 + last / 250),
                                     static_cast<std::uint8_t>(1 + last % 250)};
        ++last;
        auto made = TcpConnection::connect(loop, (*listener)->local(), IpAddress::v4(from), client);
        if (!made) {
            state.SkipWithError(made.error().message.c_str());
            return;
        }
        client.connection = std::move(*made);
        while (!client.is_connected || servers.empty()) loop.turn();
        client.connection.reset();
        while (servers[0]->connection) loop.turn();
        servers.clear();
    }
}
BENCHMARK(tcp_connect);

}  // namespace
}  // namespace posthorn
