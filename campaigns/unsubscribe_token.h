// Tokens that carry an address through a link or a mailbox and cannot be forged or read: AES-SIV
// (RFC 5297, deterministic) of the address under a kept key, so that no table is needed to honour
// one, months after the audience is gone.
//
//   token := base64url(version:u8 key_id:u32 purpose:u8 string(campaign) siv:16 ciphertext)
//
// Everything before siv is authenticated too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace posthorn {

enum class TokenPurpose : std::uint8_t { kUnsubscribe = 1, kBounce = 2, kTracking = 3 };

struct TokenContents {
    TokenPurpose purpose = TokenPurpose::kUnsubscribe;
    std::string campaign;
    std::string address;
};

inline constexpr std::size_t kTokenBytesMax = 1024;  // longer ones are refused unread

struct TokenKey {
    std::uint32_t id = 0;
    std::array<unsigned char, 64> bytes{};  // the S2V half, then the CTR half
};

// Makes the tokens of one (key, purpose, campaign). Immutable; any number of threads may seal at
// once (each keeps its own cipher contexts). Outlives no keys: it holds a copy.
class TokenSealer {
  public:
    TokenSealer(const TokenKey& key, TokenPurpose purpose, std::string_view campaign);

    // Appends the token to out; allocates nothing once out has grown.
    void append(std::string& out, std::string_view address) const;

    // What only the key's holder can make of a text, for this purpose and campaign alone (S2V).
    std::array<unsigned char, 16> authenticator(std::string_view text) const;

  private:
    friend class TokenKeys;

    bool unseal(std::string_view sealed, std::string& address) const;

    TokenKey key_;
    std::uint64_t serial_;              // tells a thread whether its contexts are keyed with this
    std::string head_;                  // version to campaign
    std::array<unsigned char, 16> d_;   // S2V over head_, before the address
    std::array<unsigned char, 16> k1_;  // CMAC's subkeys
    std::array<unsigned char, 16> k2_;
};

// All keys of a data directory: the newest seals, all open. The file holds one "id key" a line in
// hex, oldest first; it is created with mode 0600 and refused when others can read it.
class TokenKeys {
  public:
    static Result<TokenKeys> load_or_create(const std::string& path);

    // For tests and exports: the newest last, at least one.
    explicit TokenKeys(std::vector<TokenKey> keys);

    std::string seal(TokenPurpose purpose, std::string_view campaign,
                     std::string_view address) const;
    Result<TokenContents> open(std::string_view token) const;

    TokenSealer sealer(TokenPurpose purpose, std::string_view campaign) const;

    const std::vector<TokenKey>& keys() const { return keys_; }

  private:
    std::vector<TokenKey> keys_;
};

}  // namespace posthorn
