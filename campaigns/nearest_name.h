// The known name that a wrong one most likely meant, for hints.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace posthorn {

inline constexpr std::size_t kMaxComparedNameBytes = 64;  // longer ones are near to nothing

// Levenshtein's distance; b is at most kMaxComparedNameBytes long.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Of names as near as this to a word of so many bytes, a person would say that they were meant.
constexpr std::size_t nearness(std::size_t bytes) { return bytes / 3 + 1; }

// Empty when none is near.
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> known);

}  // namespace posthorn
