// Turns the bytes of a fuzzer into small choices, and hands out the rest as text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posthorn {

class FuzzInput {
  public:
    FuzzInput(const std::uint8_t* bytes, std::size_t size)
        : rest_(reinterpret_cast<const char*>(bytes), size) {}

    bool empty() const { return rest_.empty(); }

    // 0 at the end.
    std::uint8_t octet() {
        if (empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    std::string_view text(std::size_t size_max) {
        const std::string_view taken = rest_.substr(0, std::min(size_max, rest_.size()));
        rest_.remove_prefix(taken.size());
        return taken;
    }

    // Up to and with the next LF.
    std::string_view line() { return text(std::min(rest_.find('\n'), rest_.size() - 1) + 1); }

  private:
    std::string_view rest_;
};

}  // namespace posthorn
