// What a session asks of TLS: whether, and what the peer's certificate must prove (RFC 3207, 7672,
// 8461), and how a handshake ended in the words of TLS reports (RFC 8460). Plain values: decided by
// the scheduler, carried out in engine/net.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/mail_hosts.h"

namespace posthorn {

enum class TlsMode : std::uint8_t {
    kOff,
    kOpportunistic,  // encrypted with whoever is there (RFC 7435); in the clear where that fails
    kRequired,       // encrypted, or nothing is sent
    kVerify          // and the peer has proved its name
};

std::string_view name_of(TlsMode mode);  // "opportunistic"
std::optional<TlsMode> parse_tls_mode(std::string_view name);

struct TlsPolicy {
    TlsMode mode = TlsMode::kOpportunistic;
    bool implicit = false;           // TLS before the first word (RFC 8314)
    std::string server_name;         // for SNI, and what a certificate must be for
    std::vector<TlsaRecord> tlsa{};  // DANE, in place of certificate authorities

    // Sessions of equal policies may be resumed by each other, and no others.
    friend auto operator<=>(const TlsPolicy&, const TlsPolicy&) = default;
    friend bool operator==(const TlsPolicy&, const TlsPolicy&) = default;
};

// RFC 8460 section 4.3, and success. "dane-required" is missing: DANE is never demanded of a host
// that publishes nothing.
enum class TlsResult : std::uint8_t {
    kSuccess,
    kStartTlsNotSupported,
    kCertificateHostMismatch,
    kCertificateExpired,
    kCertificateNotTrusted,
    kValidationFailure,  // everything else
    kTlsaInvalid,
    kDnssecInvalid,
    kStsPolicyFetchError,
    kStsPolicyInvalid,
    kStsWebpkiInvalid
};
inline constexpr std::size_t kTlsResultCount = 11;
std::string_view name_of(TlsResult result);  // "certificate-expired"

// What a domain's mail is bound to, beyond the operator's own mode; named as in RFC 8460
// section 4.4.
enum class TlsPolicyType : std::uint8_t { kNone, kSts, kTlsa };
std::string_view name_of(TlsPolicyType type);  // "no-policy-found"
std::optional<TlsPolicyType> parse_tls_policy_type(std::string_view name);

// A handshake that succeeded.
struct TlsFacts {
    std::string version;  // "TLSv1.3"
    std::string cipher;
    TlsResult proof = TlsResult::kSuccess;  // otherwise: what the certificate does not prove
    bool resumed = false;
};

}  // namespace posthorn
