#include "engine/mail/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {
namespace {

struct Prefix {
    std::string_view network;
    unsigned bits;
};

// The registry of RFC 6890 as IANA keeps it, with multicast and the reserved class E.
constexpr Prefix kSpecialV4[] = {
    {"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10}, {"127.0.0.0", 8},
    {"169.254.0.0", 16}, {"172.16.0.0", 12},  {"192.0.0.0", 24},  {"192.0.2.0", 24},
    {"192.88.99.0", 24}, {"192.168.0.0", 16}, {"198.18.0.0", 15}, {"198.51.100.0", 24},
    {"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4},
};

// Within 2000::/3, the only block of global unicast; all outside of it is special.
constexpr Prefix kSpecialV6[] = {
    {"2001::", 23},      // protocol assignments: Teredo, benchmarking, ORCHID
    {"2001:db8::", 32},  // documentation
    {"2002::", 16},      // 6to4, deprecated
    {"3fff::", 20},      // documentation
};

bool within(const IpAddress& ip, const Prefix& prefix) {
    const std::optional<IpAddress> network = IpAddress::parse(prefix.network);
    CHECK(network && network->is_v6() == ip.is_v6());
    unsigned bits = prefix.bits;
    for (std::size_t i = 0; bits > 0; ++i) {
        const unsigned compared = std::min(bits, 8U);
        const unsigned mask = 0xffU & (0xffU << (8 - compared));
        if ((ip.bytes()[i] & mask) != (network->bytes()[i] & mask)) return false;
        bits -= compared;
    }
    return true;
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) {
    IpAddress ip;
    std::copy(bytes.begin(), bytes.end(), ip.bytes_.begin());
    return ip;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) {
    IpAddress ip;
    ip.length_ = 16;
    std::copy(bytes.begin(), bytes.end(), ip.bytes_.begin());
    return ip;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char terminated[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof(terminated) || text.find('\0') != std::string_view::npos) return {};
    terminated[text.copy(terminated, text.size())] = '\0';

    IpAddress ip;
    if (inet_pton(AF_INET, terminated, ip.bytes_.data()) == 1) return ip;
    if (inet_pton(AF_INET6, terminated, ip.bytes_.data()) != 1) return {};
    ip.length_ = 16;
    return ip;
}

std::string IpAddress::to_string() const {
    char text[INET6_ADDRSTRLEN];
    CHECK(inet_ntop(is_v6() ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof(text)) != nullptr);
    return text;
}

bool is_special_address(const IpAddress& ip) {
    const auto holds_it = [&ip](const Prefix& prefix) { return within(ip, prefix); };
    if (!ip.is_v6()) return std::ranges::any_of(kSpecialV4, holds_it);
    // The well-known prefix of RFC 6052 is as public as the IPv4 address in it.
    if (within(ip, {"64:ff9b::", 96}))
        return is_special_address(IpAddress::v4(ip.bytes().last<4>()));
    if (!within(ip, {"2000::", 3})) return true;
    return std::ranges::any_of(kSpecialV6, holds_it);
}

}  // namespace posthorn
