// The client's side of TLS for the connections of one thread: channels that do what a TlsPolicy
// says, and the sessions that may be resumed, each by its policy alone. Bounded; the oldest goes.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "engine/delivery/tls_policy.h"
#include "engine/net/tls_channel.h"

namespace posthorn {

class TlsClient {
  public:
    // trust_pem: authorities to trust instead of the system's; empty: the system's.
    static Result<TlsClient> create(std::string_view trust_pem);

    // An error: the policy cannot be met, whoever the peer is.
    Result<TlsChannel> open(const TlsPolicy& policy);

    // Once established, and again when the peer has spoken (TLS 1.3 sends its tickets then).
    void remember(const TlsPolicy& policy, const TlsChannel& channel);

    std::size_t remembered() const { return sessions_.size(); }

  private:
    TlsClient(TlsContext strict, TlsContext lenient)
        : strict_(std::move(strict)), lenient_(std::move(lenient)) {}

    TlsContext strict_;
    TlsContext lenient_;
    std::map<TlsPolicy, TlsOwned<SSL_SESSION>> sessions_;
    std::deque<TlsPolicy> order_;  // of remembering
};

TlsFacts facts_of(const TlsChannel& channel);
TlsResult result_of(TlsFault fault);

}  // namespace posthorn
