// The "relaxed" canonical forms of RFC 6376 section 3.4, over messages whose line ends are CRLF:
// what is hashed of a header field and of a body. Never changes the message itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn {

// Appends "name:value" (section 3.4.2), without a line end. field is a whole field with its name,
// folded or not; a final CRLF is ignored.
void append_relaxed_header(std::string& out, std::string_view field);

// A body, taken in pieces that end at line ends (section 3.4.4). A value: a copy goes on from where
// the original stood.
class RelaxedBody {
  public:
    // lines ends with CRLF, unless it is the last piece.
    void append(std::string& out, std::string_view lines);
    void close(std::string& out) const;  // the one line end that ends a body with text in it

  private:
    std::size_t breaks_ = 0;  // line ends held back: at the end of the body they do not count
    bool text_ = false;       // a line was not blank
};

}  // namespace posthorn
