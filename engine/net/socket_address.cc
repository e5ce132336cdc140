#include "engine/net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/net/loop_state.h"

namespace posthorn {

std::string to_string(const Endpoint& endpoint) {
    std::string address = endpoint.address.to_string();
    if (endpoint.address.is_v6()) address = "[" + address + "]";
    return address + ":" + std::to_string(endpoint.port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view port = text.substr(colon + 1);
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);

    Endpoint endpoint;
    const std::optional<IpAddress> address = IpAddress::parse(host);
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (!address || address->is_v6() != bracketed) return {};
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) return {};
    endpoint.address = *address;
    return endpoint;
}

SocketAddress socket_address(const Endpoint& endpoint) {
    SocketAddress result;
    const std::span<const std::uint8_t> bytes = endpoint.address.bytes();
    if (endpoint.address.is_v6()) {
        auto* in6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(endpoint.port);
        std::memcpy(&in6->sin6_addr, bytes.data(), bytes.size());
        result.length = sizeof(sockaddr_in6);
    } else {
        auto* in4 = reinterpret_cast<sockaddr_in*>(&result.storage);
        in4->sin_family = AF_INET;
        in4->sin_port = htons(endpoint.port);
        std::memcpy(&in4->sin_addr, bytes.data(), bytes.size());
        result.length = sizeof(sockaddr_in);
    }
    return result;
}

Endpoint endpoint_of(const SocketAddress& address) {
    if (address.storage.ss_family == AF_INET6) {
        const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
        return {IpAddress::v6(std::span<const std::uint8_t, 16>(in6->sin6_addr.s6_addr)),
                ntohs(in6->sin6_port)};
    }
    if (address.storage.ss_family == AF_INET) {
        const auto* in4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
        std::array<std::uint8_t, 4> bytes;
        std::memcpy(bytes.data(), &in4->sin_addr, bytes.size());
        return {IpAddress::v4(bytes), ntohs(in4->sin_port)};
    }
    return {};
}

Endpoint local_endpoint(int descriptor) {
    SocketAddress address;
    if (getsockname(descriptor, address.get(), &address.length) != 0) return {};
    return endpoint_of(address);
}

Endpoint remote_endpoint(int descriptor) {
    SocketAddress address;
    if (getpeername(descriptor, address.get(), &address.length) != 0) return {};
    return endpoint_of(address);
}

std::string system_error_text(int error) { return uv_strerror(uv_translate_sys_error(error)); }

}  // namespace posthorn
