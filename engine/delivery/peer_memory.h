// What mail hosts mishandled, so that they are spared it for a while: a rung of the speed ladder on
// which a session lost its way, TLS that broke off. A value that outlives the process through the
// state family; forgets what has expired, and beyond its bound everything.
//
//   state/peer/host := u8(format) u8(rung) u64(rung until, us) u64(TLS until, us)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/base/time.h"
#include "engine/delivery/messages.h"

namespace posthorn {

inline constexpr std::string_view kPeerKind = "peer";

class PeerMemory {
  public:
    // As stored by an earlier process. False: it says nothing any more, and need not be kept.
    bool restore(const std::string& host, std::string_view stored, WallTime now);

    Rung rung_max(const std::string& host, WallTime now) const;
    bool tls_broken(const std::string& host, WallTime now) const;

    // Remembered, and what is to be recorded of it. A peer that mishandles the slowest rung is
    // served it all the same.
    PutState mishandled(const std::string& host, Rung rung, WallTime now);
    // A connection that broke off as if the peer could not follow: after some in a row the same.
    std::optional<PutState> suspected(const std::string& host, Rung rung, WallTime now);
    void proved(const std::string& host);  // it could
    PutState tls_broke(const std::string& host, WallTime now);

    std::size_t size() const { return peers_.size(); }

  private:
    struct Peer {
        Rung rung_max = Rung::kChunkingAhead;
        WallTime rung_until;
        WallTime tls_until;
        std::uint32_t suspicions = 0;  // in a row; not stored
    };

    static std::string encoded(const Peer& entry);
    Peer& peer(const std::string& host);

    std::unordered_map<std::string, Peer> peers_;
};

}  // namespace posthorn
