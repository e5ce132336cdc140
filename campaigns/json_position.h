// Where things stand in a JSON text with comments: a strict scanner (RFC 8259, plus // and /* */)
// that finds every value's place by its JSON pointer, keys given twice, and the first fault of
// syntax, each with line and column. Bounded in size, depth and number of values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace posthorn {

inline constexpr std::size_t kMaxJsonBytes = 16u << 20;   // a campaign file with inline recipients
inline constexpr std::size_t kMaxJsonDepth = 32;          // nesting of a sane file stays below 10
inline constexpr std::size_t kMaxJsonValues = 1'000'000;  // each costs an entry of the index

struct JsonPlace {
    std::size_t value = 0;  // offset of the value's first byte
    std::size_t key = 0;    // offset of the member's key; of the value where there is none
};

struct JsonFault {
    std::string path;  // of the member that is at fault, or that was being read
    std::size_t offset = 0;
    std::string message;
    std::string hint;
};

struct LineColumn {
    std::uint32_t line = 1;    // from 1
    std::uint32_t column = 1;  // from 1, in characters
};

class JsonPositions {
  public:
    // Scans to the end or the first fault of syntax.
    static JsonPositions scan(std::string_view text);

    const std::optional<JsonFault>& syntax_fault() const { return syntax_fault_; }
    const std::vector<JsonFault>& duplicate_keys() const { return duplicate_keys_; }

    // The place of a pointer, or of its nearest enclosing value that exists.
    JsonPlace place_of(std::string_view pointer) const;

  private:
    friend class JsonScanner;

    std::unordered_map<std::string, JsonPlace> places_;
    std::optional<JsonFault> syntax_fault_;
    std::vector<JsonFault> duplicate_keys_;
};

LineColumn line_column(std::string_view text, std::size_t offset);

// Adds "/" and the key, escaped as RFC 6901 demands.
void append_pointer(std::string& pointer, std::string_view key);

}  // namespace posthorn
