// What all connections of the sink share: the decisions, the books, and one read buffer.
#pragma once

#include <memory>
#include <string>

#include "engine/base/time.h"
#include "engine/net/tls_channel.h"
#include "tools/sink/certificates.h"
#include "tools/sink/ledger.h"
#include "tools/sink/names.h"
#include "tools/sink/policy.h"
#include "tools/sink/profile.h"
#include "tools/sink/tally.h"

namespace posthorn::sink {

// Larger than what a busy peer has sent at one wake-up, so that one read takes it all.
inline constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

struct World {
    World(Profile profile_read, std::uint64_t seed, Now now, Certificates made, TlsContext context)
        : profile(std::move(profile_read)),
          names(profile, seed),
          policy(names, seed, now.instant),
          certificates(std::move(made)),
          tls(std::move(context)) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    const Profile profile;
    Names names;
    Policy policy;
    Tally tally;
    Ledger ledger;
    Certificates certificates;
    TlsContext tls;
    Duration rtt{0};
    std::string save_folder;  // empty: messages are not kept
    std::unique_ptr<char[]> read_buffer = std::make_unique<char[]>(kReadBytes);
};

Now read_clocks();

}  // namespace posthorn::sink
