// Reads SMTP replies (RFC 5321 section 4.2), one at a time, from bytes that come in any pieces.
// What is not a reply breaks the parser for good: nothing is ever resynchronised by guessing. Two
// liberties, since real servers need them and neither can hide a reply: a line may end with LF
// alone, and any octet but LF may stand in the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/mail/reply.h"

namespace posthorn {

class ReplyParser {
  public:
    enum class State { kIncomplete, kComplete, kBroken };

    // Takes octets from the front of bytes, up to the end of one reply. After kComplete reply()
    // holds it until the next call; after kBroken, which is final, complaint() says why.
    State parse(std::string_view& bytes);

    Reply& reply() { return reply_; }
    std::string_view complaint() const { return complaint_; }

    // No octet of an unfinished reply has been read.
    bool between_replies() const { return line_.empty() && lines_ == 0; }

  private:
    State take_line(std::string_view line);
    void take_text(std::string_view text);
    State broken(std::string_view complaint);

    Reply reply_;
    std::string line_;  // the beginning of a line whose end has not come
    std::size_t lines_ = 0;
    std::string_view complaint_;
};

}  // namespace posthorn
