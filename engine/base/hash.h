// Stable, non-cryptographic hashes (XXH3, whose values are fixed since xxHash 0.8): what is stored
// under them stays findable across releases and machines.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace posthorn {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
std::uint32_t hash32(std::string_view bytes);

// Big-endian 128-bit value, in the canonical byte order of xxHash.
std::array<char, 16> hash128(std::string_view bytes);

}  // namespace posthorn
