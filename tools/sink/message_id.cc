#include "tools/sink/message_id.h"

#include "engine/smtp/capabilities.h"

namespace posthorn::sink {

namespace {

constexpr std::string_view kField = "Message-ID:";

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

}  // namespace

void MessageIdScan::restart() {
    message_id_.clear();
    partial_.clear();
    seen_bytes_ = 0;
    value_follows_ = false;
    done_ = false;
}

void MessageIdScan::feed(std::string_view bytes) {
    while (!done_ && !bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        seen_bytes_ += part.size() + 1;
        if (end == std::string_view::npos) {
            partial_.append(part.substr(0, kMessageIdBytesMax + 1));
            if (partial_.size() > kMessageIdBytesMax) partial_.resize(kMessageIdBytesMax + 1);
        } else if (partial_.empty()) {
            line(part);
        } else {
            partial_.append(part.substr(0, kMessageIdBytesMax + 1));
            line(partial_);
            partial_.clear();
        }
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (seen_bytes_ > kHeaderBytesMax) done_ = true;
    }
}

void MessageIdScan::line(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (value_follows_ || text.empty()) {
        if (value_follows_ && line.find_first_of(" \t") == 0)
            message_id_ = text.substr(0, kMessageIdBytesMax);
        done_ = true;
        return;
    }
    // One comparison for nearly every line.
    if ((line.front() | 0x20) != 'm' || line.size() < kField.size()) return;
    if (!equal_ignoring_case(line.substr(0, kField.size()), kField)) return;
    message_id_ = trimmed(line.substr(kField.size())).substr(0, kMessageIdBytesMax);
    value_follows_ = message_id_.empty();
    done_ = !value_follows_;
}

}  // namespace posthorn::sink
