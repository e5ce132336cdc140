#include "tools/sink/delay_line.h"

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn::sink {

void DelayLine::push(std::string_view bytes, Instant due) {
    if (bytes.empty()) return;
    if (!pieces_.empty()) due = std::max(due, pieces_.back().due);
    bytes_.append(bytes);
    if (!pieces_.empty() && pieces_.back().due == due)
        pieces_.back().bytes += bytes.size();
    else
        pieces_.push_back({due, bytes.size()});
}

void DelayLine::drip(std::string_view bytes, Instant due, Duration step) {
    if (!pieces_.empty()) due = std::max(due, pieces_.back().due);
    for (std::size_t i = 0; i < bytes.size(); ++i, due += step) push(bytes.substr(i, 1), due);
}

std::string_view DelayLine::due(Instant now) const {
    std::size_t count = 0;
    for (const Piece& piece : pieces_) {
        if (piece.due > now) break;
        count += piece.bytes;
    }
    return bytes_.view().substr(0, count);
}

void DelayLine::consume(std::size_t count) {
    bytes_.consume(count);
    while (count > 0) {
        CHECK(!pieces_.empty());
        const std::size_t taken = std::min(count, pieces_.front().bytes);
        pieces_.front().bytes -= taken;
        count -= taken;
        if (pieces_.front().bytes == 0) pieces_.pop_front();
    }
}

std::optional<Instant> DelayLine::next_due() const {
    return pieces_.empty() ? std::nullopt : std::optional(pieces_.front().due);
}

}  // namespace posthorn::sink
