// Looks through message text for what SMTP cares about in it, 64 octets at a step: a dot at the
// start of a line, and CR or LF that is not part of a CRLF. Both halves use it: the client to stuff
// dots and to refuse text that is not canonical, the server to find the end of data.
#pragma once

#include <cstddef>
#include <string_view>

namespace posthorn {

// Where the first odd octet is, or text.size(): a '.' after LF, a LF not after CR, or anything but
// LF after CR. before is the octet in front of text; at the start of a message that is '\n'.
std::size_t find_odd_octet(std::string_view text, char before);

// The same answer one octet at a time: for the ends of texts, and what the fast one is tested
// against.
std::size_t find_odd_octet_slowly(std::string_view text, char before);

}  // namespace posthorn
