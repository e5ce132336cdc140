// AES-SIV from OpenSSL's AES-CBC and AES-CTR: its own EVP "AES-256-SIV" allocates for every
// operation and takes twice as long. The tests hold this against it and against RFC 5297.
#include "campaigns/unsubscribe_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <atomic>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/mail/encodings.h"

namespace posthorn {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kHalfKey = 32;
using Block = std::array<unsigned char, kBlock>;

struct CipherDeleter {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

// A thread's cipher contexts, keyed for the sealer that used them last.
struct KeyedContexts {
    CipherContext mac{EVP_CIPHER_CTX_new()};     // AES-256-CBC under the S2V half
    CipherContext stream{EVP_CIPHER_CTX_new()};  // AES-256-CTR under the CTR half
    std::uint64_t serial = 0;

    void key(const TokenKey& token_key, std::uint64_t wanted) {
        if (serial == wanted) return;
        CHECK(mac && stream);
        const unsigned char* bytes = token_key.bytes.data();
        CHECK(EVP_EncryptInit_ex2(mac.get(), EVP_aes_256_cbc(), bytes, nullptr, nullptr) == 1);
        CHECK(EVP_CIPHER_CTX_set_padding(mac.get(), 0) == 1);
        CHECK(EVP_EncryptInit_ex2(stream.get(), EVP_aes_256_ctr(), bytes + kHalfKey, nullptr,
                                  nullptr) == 1);
        serial = wanted;
    }
};

// Several, so that a message's token and its return path do not key each other's anew.
KeyedContexts& contexts_of_thread(std::uint64_t serial) {
    thread_local std::array<KeyedContexts, 4> contexts;
    return contexts[serial % contexts.size()];
}

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> serial{0};
    return ++serial;
}

// Multiplication by x in GF(2^128) (RFC 5297 section 2.3).
Block doubled(const Block& block) {
    Block out;
    for (std::size_t i = 0; i < kBlock; ++i)
        out[i] =
            static_cast<unsigned char>(block[i] << 1 | (i + 1 < kBlock ? block[i + 1] >> 7 : 0));
    if ((block[0] & 0x80) != 0) out[kBlock - 1] ^= 0x87;
    return out;
}

void xor_into(unsigned char* to, const Block& block) {
    for (std::size_t i = 0; i < kBlock; ++i) to[i] ^= block[i];
}

// CBC from a zero vector over whole blocks in place; the last block is what a MAC is made of.
Block cbc_mac(EVP_CIPHER_CTX* mac, unsigned char* blocks, std::size_t size) {
    static constexpr unsigned char kZero[kBlock] = {};
    int written = 0;
    CHECK(EVP_EncryptInit_ex2(mac, nullptr, nullptr, kZero, nullptr) == 1);
    CHECK(EVP_EncryptUpdate(mac, blocks, &written, blocks, static_cast<int>(size)) == 1);
    Block out;
    std::memcpy(out.data(), blocks + size - kBlock, kBlock);
    return out;
}

// CMAC (RFC 4493) of text, which is overwritten and has room for a further block.
Block cmac(EVP_CIPHER_CTX* mac, const Block& k1, const Block& k2, unsigned char* text,
           std::size_t size) {
    const bool whole = size > 0 && size % kBlock == 0;
    std::size_t padded = size;
    if (!whole) {
        text[padded++] = 0x80;
        while (padded % kBlock != 0) text[padded++] = 0;
    }
    xor_into(text + padded - kBlock, whole ? k1 : k2);
    return cbc_mac(mac, text, padded);
}

void crypt(EVP_CIPHER_CTX* stream, const Block& siv, const unsigned char* in, std::size_t size,
           unsigned char* out) {
    Block counter = siv;
    counter[8] &= 0x7F;
    counter[12] &= 0x7F;
    int written = 0;
    CHECK(EVP_EncryptInit_ex2(stream, nullptr, nullptr, counter.data(), nullptr) == 1);
    CHECK(EVP_EncryptUpdate(stream, out, &written, in, static_cast<int>(size)) == 1);
}

// S2V over the associated data (in d) and the plain text.
Block synthetic_vector(EVP_CIPHER_CTX* mac, const Block& d, const Block& k1, const Block& k2,
                       std::string_view text) {
    std::array<unsigned char, kTokenBytesMax + 2 * kBlock> buffer;
    std::memcpy(buffer.data(), text.data(), text.size());
    if (text.size() >= kBlock) {
        xor_into(buffer.data() + text.size() - kBlock, d);
        return cmac(mac, k1, k2, buffer.data(), text.size());
    }
    buffer[text.size()] = 0x80;
    std::memset(buffer.data() + text.size() + 1, 0, kBlock - text.size() - 1);
    xor_into(buffer.data(), doubled(d));
    return cmac(mac, k1, k2, buffer.data(), kBlock);
}

}  // namespace

TokenSealer::TokenSealer(const TokenKey& key, TokenPurpose purpose, std::string_view campaign)
    : key_(key), serial_(next_serial()) {
    put_u8(head_, kVersion);
    put_u32(head_, key.id);
    put_u8(head_, static_cast<std::uint8_t>(purpose));
    put_string(head_, campaign.substr(0, 255));
    KeyedContexts& contexts = contexts_of_thread(serial_);
    contexts.key(key_, serial_);
    Block zero{};
    k1_ = doubled(cbc_mac(contexts.mac.get(), zero.data(), kBlock));
    k2_ = doubled(k1_);
    std::array<unsigned char, 512> buffer{};
    const Block of_zero = cmac(contexts.mac.get(), k1_, k2_, buffer.data(), 0 + kBlock);
    std::memcpy(buffer.data(), head_.data(), head_.size());
    d_ = doubled(of_zero);
    xor_into(d_.data(), cmac(contexts.mac.get(), k1_, k2_, buffer.data(), head_.size()));
}

void TokenSealer::append(std::string& out, std::string_view address) const {
    address = address.substr(0, kTokenBytesMax / 2);
    KeyedContexts& contexts = contexts_of_thread(serial_);
    contexts.key(key_, serial_);
    const Block siv = synthetic_vector(contexts.mac.get(), d_, k1_, k2_, address);
    std::array<unsigned char, kTokenBytesMax> bytes;
    std::memcpy(bytes.data(), head_.data(), head_.size());
    std::memcpy(bytes.data() + head_.size(), siv.data(), kBlock);
    const std::size_t start = head_.size() + kBlock;
    crypt(contexts.stream.get(), siv, reinterpret_cast<const unsigned char*>(address.data()),
          address.size(), bytes.data() + start);
    append_base64url(out, {reinterpret_cast<const char*>(bytes.data()), start + address.size()});
}

std::array<unsigned char, 16> TokenSealer::authenticator(std::string_view text) const {
    KeyedContexts& contexts = contexts_of_thread(serial_);
    contexts.key(key_, serial_);
    return synthetic_vector(contexts.mac.get(), d_, k1_, k2_, text.substr(0, kTokenBytesMax / 2));
}

bool TokenSealer::unseal(std::string_view sealed, std::string& address) const {
    if (sealed.size() < kBlock || sealed.size() > kTokenBytesMax) return false;
    KeyedContexts& contexts = contexts_of_thread(serial_);
    contexts.key(key_, serial_);
    Block siv;
    std::memcpy(siv.data(), sealed.data(), kBlock);
    sealed.remove_prefix(kBlock);
    address.resize(sealed.size());
    crypt(contexts.stream.get(), siv, reinterpret_cast<const unsigned char*>(sealed.data()),
          sealed.size(), reinterpret_cast<unsigned char*>(address.data()));
    const Block wanted = synthetic_vector(contexts.mac.get(), d_, k1_, k2_, address);
    return CRYPTO_memcmp(wanted.data(), siv.data(), kBlock) == 0;
}

}  // namespace posthorn
