// The path of a Unix socket as the socket calls want it.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>

namespace posthorn {

class UnixAddress {
  public:
    // nullopt: the path is empty or longer than the system allows (107 bytes).
    static std::optional<UnixAddress> of(const std::string& path) {
        UnixAddress address;
        if (path.empty() || path.size() >= sizeof(address.address_.sun_path)) return {};
        address.address_.sun_family = AF_UNIX;
        path.copy(address.address_.sun_path, path.size());
        return address;
    }

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
    static constexpr socklen_t length() { return sizeof(sockaddr_un); }

  private:
    sockaddr_un address_{};
};

}  // namespace posthorn
