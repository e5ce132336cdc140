// What is true of one recipient of one campaign, whatever the engine believes.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/queue/model.h"

namespace posthorn::sim {

struct Said {
    Stage stage;  // kNone: by the session itself, whatever was asked
    std::uint16_t code;
};

struct Truth {
    CampaignNumber campaign = 0;  // 0: not in the audience
    std::uint32_t address = 0;
    std::uint32_t domain = 0;

    // What is durable.
    OutcomeState state = OutcomeState::kPending;
    WallTime next_due, first_lease;
    std::uint32_t attempts = 0, possible_duplicates = 0;
    std::uint32_t terminal_events = 0;
    std::uint64_t open_lease = 0;

    std::uint64_t granted = 0;  // the lease that the scheduler let go and did not hear of since

    // What receivers saw.
    std::uint32_t accepted = 0;  // 2yz said to the end of data
    std::uint32_t misled = 0;    // of these, on a session on which a reply too many was said
    std::uint32_t unheard = 0;   // of these, the client never got to hear it
    std::uint32_t touched = 0;   // processes that ended while it was in a durable open lease
    std::uint64_t message = 0;   // hash of its bytes
    std::vector<Said> said;
};

}  // namespace posthorn::sim
