// The server's side of DATA/control.sock: a Unix socket of mode 0600 that speaks lines both ways to
// processes of the same user or root. A line is at most kControlLineBytesMax; a client that does
// not read what it is told is dropped, and never waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/net/loop.h"

namespace posthorn {

class TcpListener;

inline constexpr std::size_t kControlLineBytesMax = 1 << 20;     // a command with a campaign in it
inline constexpr std::size_t kControlBacklogBytesMax = 8 << 20;  // unsent lines of one client
inline constexpr std::size_t kControlClientsMax = 64;

using ControlClientId = std::uint64_t;  // never reused

class ControlEvents {
  public:
    virtual ~ControlEvents() = default;
    virtual void line_received(ControlClientId client, std::string_view line) = 0;
    virtual void client_gone(
        ControlClientId client) = 0;  // left, or was dropped; not after close()
};

class ControlSocket {
  public:
    // A socket file that nobody listens on is replaced, so the caller must own the directory (two
    // at once could replace each other). kBusy: another process listens.
    static Result<std::unique_ptr<ControlSocket>> listen(Loop& loop, const std::string& path,
                                                         ControlEvents& events);
    ~ControlSocket();  // removes the file, closes the clients without a word
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    // line is without its line end and has none inside. False: the client is gone, or has just
    // been dropped because it does not read; client_gone() follows.
    bool send(ControlClientId client, std::string_view line);

    // Once all that was sent to it has been written; it is not listened to any more.
    void close(ControlClientId client);

    std::size_t clients() const { return clients_.size(); }

  private:
    struct Client;
    ControlSocket(Loop& loop, std::string path, int descriptor, ControlEvents& events);
    void accepted(int descriptor);
    void end_turn();

    Loop& loop_;
    std::string path_;
    ControlEvents& events_;
    std::unique_ptr<TcpListener> listener_;
    std::map<ControlClientId, std::unique_ptr<Client>> clients_;
    ControlClientId next_ = 1;
    TurnEnd turn_end_;  // writes what was sent, buries who has gone
};

}  // namespace posthorn
