// An IPv4 or IPv6 address as a value, and which of them no mail of the public internet is sent to
// (RFC 6890 and the IANA special-purpose registries). Text without zone, port or brackets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace posthorn {

class IpAddress {
  public:
    IpAddress() = default;  // 0.0.0.0

    static IpAddress v4(std::span<const std::uint8_t, 4> bytes);
    static IpAddress v6(std::span<const std::uint8_t, 16> bytes);
    static std::optional<IpAddress> parse(std::string_view text);

    bool is_v6() const { return length_ == 16; }
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), length_}; }  // 4 or 16
    std::string to_string() const;                                                    // RFC 5952

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;  // IPv4 first
    friend bool operator==(const IpAddress&, const IpAddress&) = default;

  private:
    std::uint8_t length_ = 4;
    std::array<std::uint8_t, 16> bytes_{};  // in network order; zero beyond the length
};

// Loopback, private, link-local, shared (CGNAT), multicast, documentation, unspecified, reserved,
// and IPv6 forms that carry such an IPv4 address or lead outside of global unicast.
bool is_special_address(const IpAddress& ip);

}  // namespace posthorn
