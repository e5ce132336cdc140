// Finds the Message-ID of a message while its octets pass: the header section is looked at up to a
// bound, the body not at all. No allocation once its buffers have grown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn::sink {

inline constexpr std::size_t kHeaderBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kMessageIdBytesMax = 998;  // a line (RFC 5322 section 2.1.1)

class MessageIdScan {
  public:
    void restart();
    void feed(std::string_view bytes);
    const std::string& message_id() const { return message_id_; }  // with its angle brackets

  private:
    void line(std::string_view line);

    std::string message_id_;
    std::string partial_;  // of a line that the octets so far do not end
    std::size_t seen_bytes_ = 0;
    bool value_follows_ = false;  // the field's name was alone on its line
    bool done_ = false;
};

}  // namespace posthorn::sink
