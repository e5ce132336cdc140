// A private key that signs mail: RSA (RFC 6376, sizes of RFC 8301) or Ed25519 (RFC 8463), read from
// PEM and tried once. Immutable; copies share it, threads sign with copies of their own. Its bytes
// are never printed, logged or stored; OpenSSL wipes them with the last copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

struct evp_pkey_st;

namespace posthorn {

enum class DkimAlgorithm : std::uint8_t { kRsaSha256, kEd25519Sha256 };
std::string_view name_of(DkimAlgorithm algorithm);      // "rsa-sha256"
std::string_view key_type_of(DkimAlgorithm algorithm);  // "rsa": k= of a key record

inline constexpr std::uint32_t kDkimRsaBitsMin = 1024;     // RFC 8301 section 3.2: MUST
inline constexpr std::uint32_t kDkimRsaBitsWanted = 2048;  // SHOULD
inline constexpr std::uint32_t kDkimRsaBitsMax = 8192;  // ours; verifiers need not take over 4096

class DkimKey {
  public:
    // PKCS #8 or PKCS #1, not encrypted. An error says what the text holds instead; small keys are
    // not one: see bits().
    static Result<DkimKey> from_pem(std::string_view pem);

    DkimAlgorithm algorithm() const { return algorithm_; }
    std::uint32_t bits() const;

    // p= of the record to publish, in base64; for RSA a SubjectPublicKeyInfo, for Ed25519 32
    // octets.
    std::string public_key() const;

    const std::shared_ptr<evp_pkey_st>& shared() const { return key_; }

  private:
    DkimKey(std::shared_ptr<evp_pkey_st> key, DkimAlgorithm algorithm)
        : key_(std::move(key)), algorithm_(algorithm) {}

    std::shared_ptr<evp_pkey_st> key_;
    DkimAlgorithm algorithm_;
};

}  // namespace posthorn
