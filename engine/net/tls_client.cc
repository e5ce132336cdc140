#include "engine/net/tls_client.h"

namespace posthorn {

namespace {

constexpr std::size_t kSessionsMax = 4'096;  // some 2 KB each with its certificates

}  // namespace

Result<TlsClient> TlsClient::create(std::string_view trust_pem) {
    auto strict = TlsContext::client(trust_pem);
    if (!strict) return strict.error();
    auto lenient = TlsContext::lenient_client(trust_pem);
    if (!lenient) return lenient.error();
    return TlsClient(std::move(*strict), std::move(*lenient));
}

Result<TlsChannel> TlsClient::open(const TlsPolicy& policy) {
    TlsClientOptions options;
    options.server_name = policy.server_name;
    options.verify = policy.mode == TlsMode::kVerify;
    options.tlsa = policy.tlsa;
    if (const auto known = sessions_.find(policy); known != sessions_.end())
        options.resume = known->second.get();
    const bool anybody = policy.mode == TlsMode::kOpportunistic;
    return TlsChannel::client(anybody ? lenient_ : strict_, options);
}

void TlsClient::remember(const TlsPolicy& policy, const TlsChannel& channel) {
    auto session = channel.session();
    if (!session) return;
    if (const auto known = sessions_.find(policy); known != sessions_.end()) {
        known->second = std::move(session);
        return;
    }
    if (sessions_.size() >= kSessionsMax) {
        sessions_.erase(order_.front());
        order_.pop_front();
    }
    sessions_.emplace(policy, std::move(session));
    order_.push_back(policy);
}

TlsFacts facts_of(const TlsChannel& channel) {
    return {channel.version(), channel.cipher(), result_of(channel.fault()), channel.resumed()};
}

TlsResult result_of(TlsFault fault) {
    switch (fault) {
        case TlsFault::kNone:
            return TlsResult::kSuccess;
        case TlsFault::kName:
            return TlsResult::kCertificateHostMismatch;
        case TlsFault::kExpired:
            return TlsResult::kCertificateExpired;
        case TlsFault::kNotTrusted:
            return TlsResult::kCertificateNotTrusted;
        case TlsFault::kTlsa:
            return TlsResult::kTlsaInvalid;
        case TlsFault::kOther:
            return TlsResult::kValidationFailure;
    }
    return TlsResult::kValidationFailure;
}

}  // namespace posthorn
