// The sink's certificates, made in memory at start-up: a test authority, and for each MX host and
// TLS mode a certificate on demand. All have one key, so that one digest does for TLSA records.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/tls_channel.h"
#include "tools/sink/profile.h"

namespace posthorn::sink {

class Certificates {
  public:
    static Result<Certificates> make(WallTime now);

    const std::string& authority_pem() const { return authority_pem_; }
    std::string key_digest() const;

    // For kSelfSigned, kValid, kExpired, kWrongName. Lives as long as this.
    const TlsIdentity& identity(TlsMode mode, std::string_view host);

  private:
    Certificates() = default;
    TlsOwned<X509> issue(TlsMode mode, const std::string& host);

    WallTime now_{};
    TlsOwned<EVP_PKEY> authority_key_;
    TlsOwned<X509> authority_;
    TlsOwned<EVP_PKEY> key_;
    std::string authority_pem_;
    long serial_ = 1;
    std::map<std::pair<TlsMode, std::string>, TlsIdentity, std::less<>> identities_;
};

}  // namespace posthorn::sink
