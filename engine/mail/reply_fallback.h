// What a reply means when no rule knows its words: by enhanced status code (RFC 3463 and the IANA
// registry), then by reply code and stage (RFC 5321, RFC 7504, RFC 7505).
#pragma once

#include <optional>
#include <string_view>

#include "engine/mail/reply.h"

namespace posthorn {

struct FallbackMeaning {
    Category category = Category::kUnknown;
    std::string_view name;  // what decided; a literal
};

// enhanced: the reply's own, or the one its text mentions.
FallbackMeaning meaning_of_codes(Stage stage, const Reply& reply,
                                 std::optional<EnhancedCode> enhanced);

}  // namespace posthorn
