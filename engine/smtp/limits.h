// Every bound of the SMTP code in one place, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/time.h"

namespace posthorn {

// A reply line is at most 512 octets (RFC 5321 section 4.5.3.1.5); large providers write longer.
inline constexpr std::size_t kReplyLineBytesMax = 2000;
// The longest honest replies are EHLO's, some dozens of lines.
inline constexpr std::size_t kReplyLinesMax = 200;
inline constexpr std::size_t kReplyBytesMax = 64 * 1024;

// A command is at most 512 octets, and longer by what extensions add (RFC 5321 section 4.5.3.1.4).
inline constexpr std::size_t kCommandLineBytesMax = 2048;
// A path is at most 256 octets (RFC 5321 section 4.5.3.1.3), twice that for SMTPUTF8's sake.
inline constexpr std::size_t kPathBytesMax = 512;
// A domain name is at most 255 octets.
inline constexpr std::size_t kHelloNameBytesMax = 255;

// Of one transaction. A server must take 100 (RFC 5321 section 4.5.3.1.8); few take more than 1000.
inline constexpr std::size_t kRecipientsMax = 1000;

// What a client session works on at once, at the fastest rung: to begin with, and at most where the
// way is far, so that it is full at 50 ms with 300 messages a second. More only makes more
// uncertain when a connection is lost.
inline constexpr std::size_t kTransactionsInFlightStart = 4;
inline constexpr std::size_t kTransactionsInFlightMax = 16;
// A peer is far if it answers so much later than it was told; below, more in flight gains nothing.
inline constexpr Duration kFarAway = std::chrono::milliseconds(10);
// A peer that takes fewer octets than this within the data block timeout has stopped reading.
inline constexpr std::size_t kWriteProgressBytes = 4096;

// Input a server session keeps while it waits for its owner, and output while the peer does not
// read; beyond either it takes nothing more.
inline constexpr std::size_t kServerInputBytesMax = 256 * 1024;
inline constexpr std::size_t kServerOutputBytesMax = 64 * 1024;
// Commands answered with a syntax error before the server hangs up.
inline constexpr std::uint32_t kServerBadCommandsMax = 20;
// No chunk is larger, whatever SIZE says (RFC 3030 sets no limit).
inline constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 32;

}  // namespace posthorn
