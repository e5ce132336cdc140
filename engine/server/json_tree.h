// JSON with comments (RFC 8259, plus // and /* */) as a tree in which every value and key knows its
// line and column, so that a fault in a configuration can be shown where it stands. Bounded in
// size and depth; numbers are kept as written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace posthorn {

inline constexpr std::size_t kJsonTreeBytesMax = 4u << 20;  // no configuration comes near it
inline constexpr int kJsonTreeDepthMax = 16;

struct TextPlace {
    std::uint32_t line = 1;    // from 1
    std::uint32_t column = 1;  // from 1, in characters
};

struct JsonTree {
    enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
    struct Member;

    Kind kind = Kind::kNull;
    TextPlace place;
    bool boolean = false;
    std::string text;             // of a string; of a number as written
    std::vector<JsonTree> items;  // of an array
    std::vector<Member> members;  // of an object, in the order of the text
};

struct JsonTree::Member {
    std::string key;
    TextPlace place;  // of the key
    JsonTree value;
};

struct JsonTreeFault {
    TextPlace place;
    std::string message;
};

// The tree, or the first fault of syntax. A key given twice is a fault.
std::variant<JsonTree, JsonTreeFault> parse_json_tree(std::string_view text);

// "an object", "a string": for messages about a value of the wrong type.
std::string_view words_for(JsonTree::Kind kind);

}  // namespace posthorn
