// What TLS adds to a message on a connection that is there already: a transaction's commands and 10
// KB of text sealed by the client and taken over by the kernel's stand-in, the peer's replies
// opened. The peer's sealing of its replies is in the figure. And what a handshake costs the
// client, whole and resumed, the peer's half included.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "engine/net/tls_channel.h"
#include "tools/sink/certificates.h"

namespace posthorn {
namespace {

constexpr std::string_view kHost = "mx.a.test";

class Pair {
  public:
    Pair()
        : certificates_(*sink::Certificates::make(
              wall_from_micros(std::int64_t{std::time(nullptr)} * 1'000'000))),
          server_context_(*TlsContext::server()),
          client_context_(*TlsContext::client(certificates_.authority_pem())) {}

    void open(SSL_SESSION* resume = nullptr) {
        client_.emplace(*TlsChannel::client(client_context_,
                                            {.server_name = std::string(kHost), .resume = resume}));
        server_.emplace(*TlsChannel::server(server_context_,
                                            certificates_.identity(sink::TlsMode::kValid, kHost)));
        if (!client_->start()) std::abort();
        while (move(*client_, *server_) || move(*server_, *client_)) {
        }
        if (!client_->established() || !server_->established()) std::abort();
    }

    TlsChannel& client() { return *client_; }
    TlsChannel& server() { return *server_; }

    static bool move(TlsChannel& from, TlsChannel& to) {
        if (from.output().empty()) return false;
        if (!to.ciphertext_received(from.output())) std::abort();
        from.consume_output(from.output().size());
        return true;
    }

  private:
    sink::Certificates certificates_;
    TlsContext server_context_;
    TlsContext client_context_;
    std::optional<TlsChannel> client_;
    std::optional<TlsChannel> server_;
};

void message_of_10_kb(benchmark::State& state) {
    Pair pair;
    pair.open();
    const std::string commands =
        "MAIL FROM:<a@acme.test>\r\nRCPT TO:<b@d.test>\r\nBDAT 10240 LAST\r\n";
    const std::string flight = commands + std::string(10'240, 'x');
    const std::string_view replies = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n";
    for (auto _ : state) {
        if (!pair.client().write(flight)) std::abort();
        benchmark::DoNotOptimize(pair.client().output().data());
        pair.client().consume_output(pair.client().output().size());
        if (!pair.server().write(replies)) std::abort();
        Pair::move(pair.server(), pair.client());
        if (pair.client().plaintext() != replies) std::abort();
        pair.client().consume_plaintext(replies.size());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(flight.size()) *
                            static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(message_of_10_kb);

void handshake(benchmark::State& state, bool resumed) {
    Pair pair;
    pair.open();
    const auto session = pair.client().session();
    for (auto _ : state) {
        pair.open(resumed ? session.get() : nullptr);
        if (pair.client().resumed() != resumed) std::abort();
    }
}
BENCHMARK_CAPTURE(handshake, whole, false);
BENCHMARK_CAPTURE(handshake, resumed, true);

}  // namespace
}  // namespace posthorn
