// Signed return paths (VERP): each recipient's bounces come back to an address of their own, which
// tells whose they are and cannot be forged, so that nobody can have others suppressed.
//
//   local part := "b1-" base32(key_id:u16 campaign:u32 hash32(domain):u32 hash32(local):u32 mac:16)
//
// base32 is that of RFC 4648 in lower case, read in any case, since mail systems fold local parts.
// The hashes are those of the audience's keys, which find the recipient in its lane. The MAC is S2V
// (RFC 5297) under a key of the token keys, for bounces alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "campaigns/unsubscribe_token.h"
#include "engine/base/result.h"
#include "engine/queue/model.h"

namespace posthorn {

inline constexpr std::size_t kReturnPathLocalBytes = 3 + 48;

struct BouncedRecipient {
    CampaignNumber campaign = 0;
    std::uint32_t domain_hash = 0;  // hash32 of the lane's domain
    std::uint32_t local_hash = 0;   // with which the recipient's local key begins

    friend bool operator==(const BouncedRecipient&, const BouncedRecipient&) = default;
};

// Immutable; any number of threads may use it at once.
class ReturnPathSealer {
  public:
    ReturnPathSealer(const TokenKeys& keys, std::string domain);

    // Appends local@domain for the recipient of an audience key; nothing, and false, for what is no
    // such key. Allocates nothing once out has grown.
    bool append(std::string& out, std::string_view audience_key) const;

  private:
    std::uint16_t key_id_;
    TokenSealer sealer_;
    std::string domain_;
};

// Of the local part of an address that a bounce was sent to. kInvalid: not one of ours, or changed.
Result<BouncedRecipient> open_return_path(const TokenKeys& keys, std::string_view local);

}  // namespace posthorn
