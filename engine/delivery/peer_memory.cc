#include "engine/delivery/peer_memory.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kPeersMax = 100'000;                  // some 150 bytes each
constexpr Duration kRungKept = std::chrono::hours(7 * 24);  // then the host has its next chance
constexpr std::uint32_t kSuspicionsMax = 3;
constexpr Duration kTlsBrokenKept = std::chrono::hours(24);  // certificates are mended in days

Rung slower(Rung rung) {
    return rung == Rung::kLockstep ? rung : static_cast<Rung>(static_cast<int>(rung) - 1);
}

}  // namespace

bool PeerMemory::restore(const std::string& host, std::string_view stored, WallTime now) {
    ByteReader reader(stored);
    const std::uint8_t format = reader.u8();
    const std::uint8_t rung = reader.u8();
    const WallTime rung_until = wall_from_micros(static_cast<std::int64_t>(reader.u64()));
    const WallTime tls_until = wall_from_micros(static_cast<std::int64_t>(reader.u64()));
    if (!reader.at_end() || format != kFormat) return false;
    if (rung > static_cast<std::uint8_t>(Rung::kChunkingAhead)) return false;
    if (rung_until <= now && tls_until <= now) return false;
    peer(host) = {static_cast<Rung>(rung), rung_until, tls_until, 0};
    return true;
}

Rung PeerMemory::rung_max(const std::string& host, WallTime now) const {
    const auto found = peers_.find(host);
    const bool known = found != peers_.end() && now < found->second.rung_until;
    return known ? found->second.rung_max : Rung::kChunkingAhead;
}

bool PeerMemory::tls_broken(const std::string& host, WallTime now) const {
    const auto found = peers_.find(host);
    return found != peers_.end() && now < found->second.tls_until;
}

PutState PeerMemory::mishandled(const std::string& host, Rung rung, WallTime now) {
    // Sessions opened before the first of them failed report later what is known already.
    const Rung known = rung_max(host, now);
    Peer& entry = peer(host);
    entry.rung_max = std::min(known, slower(rung));
    entry.rung_until = now + kRungKept;
    return {std::string(kPeerKind), host, encoded(entry)};
}

std::optional<PutState> PeerMemory::suspected(const std::string& host, Rung rung, WallTime now) {
    if (rung == Rung::kLockstep || ++peer(host).suspicions < kSuspicionsMax) return std::nullopt;
    peer(host).suspicions = 0;
    return mishandled(host, rung, now);
}

void PeerMemory::proved(const std::string& host) {
    if (const auto found = peers_.find(host); found != peers_.end()) found->second.suspicions = 0;
}

PutState PeerMemory::tls_broke(const std::string& host, WallTime now) {
    Peer& entry = peer(host);
    entry.tls_until = now + kTlsBrokenKept;
    return {std::string(kPeerKind), host, encoded(entry)};
}

std::string PeerMemory::encoded(const Peer& entry) {
    std::string value;
    put_u8(value, kFormat);
    put_u8(value, static_cast<std::uint8_t>(entry.rung_max));
    put_u64(value, static_cast<std::uint64_t>(to_micros(entry.rung_until)));
    put_u64(value, static_cast<std::uint64_t>(to_micros(entry.tls_until)));
    return value;
}

PeerMemory::Peer& PeerMemory::peer(const std::string& host) {
    if (peers_.size() >= kPeersMax && !peers_.contains(host)) peers_.clear();
    return peers_[host];
}

}  // namespace posthorn
