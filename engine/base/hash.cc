#include "engine/base/hash.h"

#include <xxhash.h>

#include <cstring>

namespace posthorn {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint32_t hash32(std::string_view bytes) {
    return static_cast<std::uint32_t>(hash64(bytes) >> 32);
}

std::array<char, 16> hash128(std::string_view bytes) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
    std::array<char, 16> out;
    static_assert(sizeof(canonical.digest) == 16);
    std::memcpy(out.data(), canonical.digest, out.size());
    return out;
}

}  // namespace posthorn
