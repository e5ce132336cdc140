// The words of a segment: names, texts, numbers and signs, each with its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/segment.h"

namespace posthorn {

struct SegmentToken {
    enum class Kind : std::uint8_t { kEnd, kName, kText, kNumber, kSign };
    Kind kind = Kind::kEnd;
    std::size_t offset = 0;
    std::string text;  // a text without quotes and escapes; a name or sign as it stands
    double number = 0;
};

// Ends with kEnd. Nothing, and the fault filled in, where a word is none.
std::optional<std::vector<SegmentToken>> segment_tokens(std::string_view text, SegmentFault& fault);

}  // namespace posthorn
