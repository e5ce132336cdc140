// One connection of a sender thread: carries bytes between a session of the sender and its socket,
// through TLS once the session asks for it. Octets count as written when the kernel has taken all
// of the record they are in. Owns socket and channel; decides nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/delivery/sender.h"
#include "engine/net/tcp.h"
#include "engine/net/tls_client.h"

namespace posthorn {

class SenderConnection : public TcpEvents {
  public:
    // All of them outlive it. `after_input` is called when the sender has taken what came in.
    SenderConnection(Sender& sender, Loop& loop, TlsClient& tls, SlotId slot,
                     const std::function<void()>& after_input)
        : sender_(sender),
          loop_(loop),
          tls_client_(tls),
          slot_(slot),
          after_input_(after_input) {}
    ~SenderConnection() override;

    Status open(const ConnectOrder& order);
    void start_tls(std::shared_ptr<const TlsPolicy> policy);

    // Writes what it can of the session's output; the kernel says when it takes more.
    void flush();

    void connected() override { sender_.connected(slot_, loop_.now()); }
    void bytes_received(std::string_view bytes) override;
    void writable() override;
    void connection_lost(std::string_view why) override;

  private:
    // A stretch of ciphertext and the octets of the session in it.
    struct Sealed {
        std::uint64_t end;  // of all ciphertext ever sent on this connection
        std::size_t plain;
    };

    void flush_plain();
    bool seal();
    bool push();
    void ciphertext_received(std::string_view bytes);
    void handshake_done();

    Sender& sender_;
    Loop& loop_;
    TlsClient& tls_client_;
    SlotId slot_;
    const std::function<void()>& after_input_;
    std::unique_ptr<TcpConnection> tcp_;
    std::shared_ptr<const TlsPolicy> policy_;
    std::optional<TlsChannel> tls_;
    std::deque<Sealed> sealed_;
    std::size_t sealed_plain_ = 0;
    std::uint64_t sent_ = 0;  // ciphertext that the kernel took
    bool remembered_ = false;
    bool blocked_ = false;
};

}  // namespace posthorn
