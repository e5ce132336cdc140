// Endpoints as the socket calls want them and give them back.
#pragma once

#include <sys/socket.h>

#include "engine/net/tcp.h"

namespace posthorn {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_storage);

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint);
Endpoint endpoint_of(const SocketAddress& address);  // 0.0.0.0:0 if it is no IP address
Endpoint local_endpoint(int descriptor);
Endpoint remote_endpoint(int descriptor);

std::string system_error_text(int error);  // of errno: "connection refused"

}  // namespace posthorn
