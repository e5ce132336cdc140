// What a reply says, in a form that can be compared: fold_reply gives what rules are matched
// against, normalise_reply what unknown replies are grouped by. Both take anything a server may
// send (any bytes, any length) and give bounded text without control characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn {

inline constexpr std::size_t kMaxReplyBytesRead = 8192;  // of a reply's text; the rest is not seen
inline constexpr std::size_t kMaxFoldedBytes = 1024;     // of text, and of links
inline constexpr std::size_t kMaxNormalisedBytes = 512;  // of a group's key

struct FoldedReply {
    std::string text;   // lower case, accents removed, blanks single, addresses <@>, URLs {url}
    std::string links;  // the URLs, lower case, each followed by a blank
};

// Bytes that are not UTF-8 are taken as Latin-1. Letters outside Latin and Cyrillic stay as they
// are.
void fold_reply(std::string_view text, FoldedReply& out);

// Folded, and IP addresses, host names, numbers and identifiers replaced by {ip} {host} {n} {id}:
// replies that differ only in these come out equal.
std::string normalise_reply(std::string_view text);

}  // namespace posthorn
