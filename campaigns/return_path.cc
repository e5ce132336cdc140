#include "campaigns/return_path.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/ascii.h"
#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/queue/keys.h"

namespace posthorn {
namespace {

constexpr std::string_view kPrefix = "b1-";
constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kHeadBytes = 2 + 4 + 4 + 4;
constexpr std::size_t kBytes = kHeadBytes + kMacBytes;  // a multiple of 5: no padding
static_assert(kBytes % 5 == 0);
static_assert(kPrefix.size() + kBytes / 5 * 8 == kReturnPathLocalBytes);
using Bytes = std::array<unsigned char, kBytes>;

void append_base32(std::string& out, const Bytes& bytes) {
    for (std::size_t i = 0; i < kBytes; i += 5) {
        std::uint64_t group = 0;
        for (std::size_t k = 0; k < 5; ++k) group = group << 8 | bytes[i + k];
        for (int shift = 35; shift >= 0; shift -= 5) out.push_back(kDigits[group >> shift & 31]);
    }
}

std::optional<Bytes> decode_base32(std::string_view text) {
    Bytes bytes{};
    if (text.size() != kBytes / 5 * 8) return std::nullopt;
    for (std::size_t i = 0; i < kBytes / 5; ++i) {
        std::uint64_t group = 0;
        for (char c : text.substr(8 * i, 8)) {
            const std::size_t digit = kDigits.find(ascii_lower(c));
            if (digit == kDigits.npos) return std::nullopt;
            group = group << 5 | digit;
        }
        for (std::size_t k = 0; k < 5; ++k)
            bytes[5 * i + k] = static_cast<unsigned char>(group >> (32 - 8 * k));
    }
    return bytes;
}

template <class Number>
void put(Bytes& bytes, std::size_t at, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
        bytes[at + i] = static_cast<unsigned char>(number >> (8 * (sizeof number - 1 - i)));
}

std::string_view head_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), kHeadBytes};
}

std::uint16_t short_id(const TokenKey& key) { return static_cast<std::uint16_t>(key.id); }

}  // namespace

ReturnPathSealer::ReturnPathSealer(const TokenKeys& keys, std::string domain)
    : key_id_(short_id(keys.keys().back())),
      sealer_(keys.sealer(TokenPurpose::kBounce, "")),
      domain_(std::move(domain)) {}

bool ReturnPathSealer::append(std::string& out, std::string_view audience_key) const {
    const auto key = parse_audience_key(audience_key);
    if (!key) return false;
    Bytes bytes{};
    put(bytes, 0, key_id_);
    put(bytes, 2, key->campaign);
    put(bytes, 6, hash32(key->domain));
    std::copy_n(key->local.begin(), 4, bytes.begin() + 10);
    const auto mac = sealer_.authenticator(head_of(bytes));
    std::copy(mac.begin(), mac.end(), bytes.begin() + kHeadBytes);
    out.append(kPrefix);
    append_base32(out, bytes);
    out.append("@").append(domain_);
    return true;
}

Result<BouncedRecipient> open_return_path(const TokenKeys& keys, std::string_view local) {
    const Error refused{ErrorKind::kInvalid, "not a return path of ours"};
    if (local.size() != kReturnPathLocalBytes || (local[0] | 32) != kPrefix[0] ||
        local.substr(1, 2) != kPrefix.substr(1))
        return refused;
    const std::optional<Bytes> bytes = decode_base32(local.substr(kPrefix.size()));
    if (!bytes) return refused;
    ByteReader in(head_of(*bytes));
    const std::uint16_t id = in.u16();
    BouncedRecipient recipient;
    recipient.campaign = in.u32();
    recipient.domain_hash = in.u32();
    recipient.local_hash = in.u32();
    for (const TokenKey& key : keys.keys()) {
        if (short_id(key) != id) continue;
        const TokenSealer sealer(key, TokenPurpose::kBounce, "");
        const auto mac = sealer.authenticator(head_of(*bytes));
        if (CRYPTO_memcmp(mac.data(), bytes->data() + kHeadBytes, kMacBytes) == 0) return recipient;
    }
    return refused;
}

}  // namespace posthorn
