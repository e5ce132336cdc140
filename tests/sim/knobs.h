// Everything about a world that is drawn from its seed before it begins: bounds, delays, receivers,
// campaigns, and when it is to go wrong. Often absurdly small, so that every bound is met.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/delivery/campaign_plan.h"
#include "engine/delivery/limits.h"
#include "engine/delivery/sender.h"
#include "engine/mail/mail_hosts.h"
#include "tests/sim/invented_mail.h"

namespace posthorn::sim {

// What a receiver does to those who send to it, while there is chaos. Names are those of coverage.
enum class Mood : std::uint8_t {
    kGreylists,
    kClosesAfterSome,  // 421 after n messages
    kTarpits,          // answers late, at times later than anybody waits
    kResetsInData,
    kDropsAfterDot,  // takes the message or not, and never says which
    kRefusesSome,    // 5yz to some recipients, always the same ones
    kDefersSome,
    kLiesAboutPipelining,  // offers it, and forgets what was pipelined
    kSlowsWhenPushed,      // 421 and a penalty beyond a rate, as large providers do
    kFewSessions,
    kTalksGarbage,  // lines that are no replies, replies that nobody asked for
    kShutsDoor,     // refuses connections, or lets them hang
    kRefusesGreeting,
    kRefusesSender,
    kRefusesContent,  // 5yz or 4yz to the end of data
    kFallsSilent,
    kPlain,     // HELO only
    kSmallSize  // SIZE
};
inline constexpr std::size_t kMoodCount = 18;
std::string_view name_of(Mood mood);

// What a host makes of STARTTLS. While there is chaos; afterwards those that offer it do it well.
enum class TlsMood : std::uint8_t {
    kNotOffered,
    kFine,
    kUntrusted,  // its certificate proves nothing
    kRefuses,
    kBreaks,  // the handshake
    kHangs,
    kTalksEarly  // says more than 220 in the clear
};
inline constexpr std::size_t kTlsMoodCount = 7;
std::string_view name_of(TlsMood mood);

struct HostKnobs {
    std::string name;
    IpAddress address;
    std::vector<Mood> moods;
    std::vector<std::string> offers;
    TlsMood tls = TlsMood::kNotOffered;
    double share = 0.1;  // of occasions on which a mood acts
    std::uint32_t few = 3;
    Duration patience{0};  // of a tarpit, of greylisting, of a penalty
    Duration latency_max{0};

    bool has(Mood mood) const;
};

enum class DnsMood : std::uint8_t {
    kFine,
    kNoDomain,
    kNullMx,
    kFlaps,  // says that there is nothing, then finds it
    kFailsAtTimes,
    kMoves  // other hosts from some time on
};
std::string_view name_of(DnsMood mood);

struct DomainKnobs {
    std::string name;
    std::vector<std::size_t> hosts;  // by preference
    std::vector<std::size_t> later;  // of kMoves
    DnsMood dns = DnsMood::kFine;
    std::uint32_t first_address = 0;  // each campaign takes its first so many
};

struct CampaignKnobs {
    CampaignNumber number = 0;
    RetryPolicy retry;
    Throttle throttle;
    MailSizes sizes;
    std::vector<std::uint32_t> recipients;  // by domain
    Duration begins_after{0};
};

// Where the process ends without a word.
enum class CrashPoint : std::uint8_t {
    kAnyTime,
    kBeforeSync,      // a batch is written, not synced
    kAfterSync,       // durable, and nobody was told
    kLeaseHandedOut,  // to a sender, nothing of it on the wire
    kInMessage,       // part of a message is at the receiver
    kAfterDot,        // all of it, its reply on the way
    kWhileStopping,
    kInRecovery
};
inline constexpr std::size_t kCrashPointCount = 8;
std::string_view name_of(CrashPoint point);

struct CrashKnobs {
    CrashPoint point = CrashPoint::kAnyTime;
    std::uint32_t after = 1;  // times that the point is passed
    Duration not_before{0};   // since the beginning of the world
    bool written = false;     // kBeforeSync: the batch had reached the disk after all
};

struct WireKnobs {
    Duration latency_min{0}, latency_max{0};
    std::size_t buffer_bytes = 65536;  // what the kernel takes before the peer reads
    double split = 0;                  // share of writes that arrive in pieces
    double reset = 0;                  // share of segments that meet a reset
};

struct Knobs {
    DeliveryLimits limits;
    SenderOptions sender;
    std::vector<Source> sources;
    std::uint32_t senders = 1;
    WireKnobs wire;
    Duration mailbox_max{0}, read_max{0}, sync_max{0}, dns_max{0}, linger{0};
    std::vector<HostKnobs> hosts;
    std::vector<DomainKnobs> domains;
    std::vector<CampaignKnobs> campaigns;
    std::vector<CrashKnobs> crashes;
    Duration chaos{0};
    std::uint32_t operator_acts = 0;  // pauses, holds, suppressions, ... during chaos
    std::uint32_t sync_failures = 0;
    std::uint32_t clock_jumps = 0;
    std::uint32_t stops = 0;  // orderly, followed by a start
    std::uint32_t disk_fulls = 0;
    std::uint32_t addresses = 0;  // recipients share them between campaigns

    static Knobs draw(Random& random);
};

}  // namespace posthorn::sim
