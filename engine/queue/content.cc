#include "engine/queue/content.h"

#include <openssl/evp.h>

#include <array>

#include "engine/base/check.h"

namespace posthorn {

std::string content_hash(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
    std::string hash;
    hash.reserve(2 * size);
    for (unsigned i = 0; i < size; ++i) {
        hash.push_back(kDigits[digest[i] >> 4]);
        hash.push_back(kDigits[digest[i] & 0x0f]);
    }
    return hash;
}

Result<std::string> put_content(Store& store, std::string_view bytes) {
    const std::string hash = content_hash(bytes);
    const auto present = store.get(Family::kContent, hash);
    if (!present) return present.error();
    if (!*present) {
        WriteBatch batch;
        batch.put(Family::kContent, hash, bytes);
        RETURN_IF_ERROR(store.write(batch));
    }
    return hash;
}

Result<std::string> get_content(const Store& store, std::string_view hash) {
    auto stored = store.get(Family::kContent, hash);
    if (!stored) return stored.error();
    if (!*stored)
        return Error{ErrorKind::kNotFound, "the store holds no content " + std::string(hash)};
    if (content_hash(**stored) != hash)
        return Error{ErrorKind::kCorrupt,
                     "the stored content " + std::string(hash) +
                         " is damaged: restore the data directory from a copy"};
    return std::move(**stored);
}

}  // namespace posthorn
