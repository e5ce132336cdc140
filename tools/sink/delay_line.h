// Bytes on their way out, each with the time at which it may leave: what a long wire and a dripping
// server have in common. Order is kept, whatever the times.
#pragma once

#include <deque>
#include <optional>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace posthorn::sink {

class DelayLine {
  public:
    void push(std::string_view bytes, Instant due);
    // Octet by octet, the first at due, then one each step.
    void drip(std::string_view bytes, Instant due, Duration step);

    std::string_view due(Instant now) const;  // until the next call of anything
    void consume(std::size_t count);

    std::optional<Instant> next_due() const;
    bool empty() const { return bytes_.empty(); }
    std::size_t size() const { return bytes_.size(); }

  private:
    struct Piece {
        Instant due;
        std::size_t bytes;
    };
    ByteQueue bytes_;
    std::deque<Piece> pieces_;
};

}  // namespace posthorn::sink
