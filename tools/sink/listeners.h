// The sink's sockets: SMTP on all of 127/8, DNS over UDP and TCP on one address.
#pragma once

#include <uv.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "tools/sink/world.h"
#include "tools/sink/zone.h"

namespace posthorn::sink {

struct Endpoint {
    std::string host;  // an IPv4 address
    std::uint16_t port = 0;
};
Result<Endpoint> parse_endpoint(std::string_view text);  // "127.0.0.1:2525"

class SmtpListener {
  public:
    SmtpListener(World& world, uv_loop_t* loop) : world_(world), loop_(loop) {}

    // Port 0: one that is free. Whatever the host, all of 127/8 is listened at.
    Status listen(std::uint16_t port);
    std::uint16_t port() const { return port_; }

  private:
    World& world_;
    uv_loop_t* loop_;
    uv_tcp_t socket_{};
    std::uint16_t port_ = 0;
};

class DnsListener {
  public:
    DnsListener(Zone& zone, uv_loop_t* loop) : zone_(zone), loop_(loop) {}

    Status listen(const Endpoint& endpoint);
    std::uint16_t port() const { return port_; }

  private:
    class TcpTalk;
    friend class TcpTalk;

    Status bind_udp(const Endpoint& endpoint, std::uint16_t port);
    Status bind_tcp(const Endpoint& endpoint, std::uint16_t port);
    void asked(std::string_view query, const sockaddr& from);

    Zone& zone_;
    uv_loop_t* loop_;
    uv_udp_t udp_{};
    uv_tcp_t tcp_{};
    std::uint16_t port_ = 0;
    std::size_t talks_ = 0;
    char buffer_[65536];
};

}  // namespace posthorn::sink
