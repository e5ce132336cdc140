// The bounds of delivery, in one place, each with its reason. Operators' settings override the
// defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/delivery/tls_policy.h"
#include "engine/mail/ip_address.h"

namespace posthorn {

// An egress: the address that connections leave from and the name they greet with.
struct Source {
    std::string name;
    std::optional<IpAddress> address;  // absent: the system chooses
    std::string ehlo;
};

// A wall clock that goes back by less is corrected; by more, it was wrong before.
inline constexpr Duration kClockStepMin = std::chrono::minutes(10);

struct DeliveryLimits {
    // Connections. A site starts low and earns more, as Postfix's destination concurrency does.
    std::uint32_t connections_max = 10'000;          // in all, from the open-file limit
    std::uint32_t site_connections_start = 5;        // per source x site
    std::uint32_t site_connections_max = 20;         // beyond that, most providers defer
    std::uint32_t messages_per_session_max = 100;    // large providers close at 50 to 200
    Duration idle_session{std::chrono::seconds(3)};  // a warm session is kept so long without work

    // Leases. Small enough to balance sessions, large enough to pay for the journal's record.
    std::uint32_t lease_recipients_start = 4;
    std::uint32_t lease_recipients_max = 48;
    std::uint32_t hold_lease_recipients_max =
        4;  // under uncertain: hold, what a crash makes uncertain
    Duration lease_validity{std::chrono::seconds(1)};
    Duration limited_lease_validity{std::chrono::milliseconds(50)};  // where a rate is to be exact
    std::uint32_t in_flight_max = 32'768;  // recipients leased and not yet recorded

    // Reading ahead. Memory follows these, not the audience.
    std::uint32_t rows_ahead_max = 65'536;  // in buffers of open lanes
    std::uint32_t rows_per_read = 512;
    std::uint32_t rows_per_small_lane = 64;  // read with the lane order, in one sweep
    std::uint32_t lanes_open_max = 16'384;
    std::uint32_t lanes_per_read = 512;
    std::uint32_t rows_per_sweep = 8'192;  // of one read of small lanes
    std::uint32_t stragglers_max = 1'000;  // lanes listed in a recorded cursor
    std::uint32_t cursor_every = 4'096;    // lanes sent between two records of the cursor
    std::uint32_t recently_suppressed_max = 200'000;  // beyond it what was read is read again
    std::uint32_t mark_every = 1'000;  // recipients between two low-water marks of a lane
    std::uint32_t sweep_in_flight_max =
        8'192;  // outcomes without attempt, handed to the journal at once

    // Failing sites and names, dead for growing times, probed by one connection.
    Duration site_retry_first{std::chrono::seconds(15)};
    Duration site_retry_max{std::chrono::minutes(15)};
    Duration hold_first{std::chrono::minutes(10)};  // of a source that a site wants nothing from
    Duration hold_max{std::chrono::hours(4)};       // listings are lifted within hours
    Duration dns_retry_first{std::chrono::seconds(10)};
    Duration dns_retry_max{std::chrono::minutes(15)};
    Duration dns_confirm_after{std::chrono::hours(1)};  // a bad name counts once confirmed
    Duration dns_ttl_min{std::chrono::seconds(60)};
    Duration dns_ttl_max{std::chrono::hours(24)};

    TlsMode tls = TlsMode::kOpportunistic;  // where nothing else is said
    std::uint16_t port = 25;
    bool allow_private_addresses = false;
};

}  // namespace posthorn
