// A campaign while it is being delivered: the plan, where reading stands, what is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/base/rate_window.h"
#include "engine/delivery/campaign_plan.h"
#include "engine/delivery/messages.h"

namespace posthorn {

struct CampaignRun {
    explicit CampaignRun(CampaignPlan campaign_plan) : plan(std::move(campaign_plan)) {}

    CampaignPlan plan;
    Figures figures;  // as the journal reported them
    bool cancelling = false;
    std::optional<Instant> active_since;  // while it runs

    // The schedule as it was last looked at.
    bool open = true;  // it may be sent
    WallTime schedule_seen, schedule_changes = WallTime::max();

    // The walk over the lane order. Stragglers are lanes before the cursor that were not yet sent.
    std::string lane_after;
    bool lanes_complete = false;
    std::uint64_t lanes_ticket = 0;
    std::deque<std::string> stragglers;

    // The walk over lanes with deferred rows, at start.
    std::string deferred_after;
    bool deferred_complete = false;
    std::uint64_t deferred_ticket = 0;

    // Lanes opened with one answer of the reader, and how many of them have unsent fresh rows: what
    // the recorded cursor may pass.
    struct Batch {
        std::string after;
        std::uint32_t number = 0;
        std::uint32_t unsent = 0;
    };
    std::deque<Batch> batches;
    std::uint32_t batches_opened = 0;
    std::uint32_t lanes_since_cursor = 0;
    std::set<std::string>
        unsent_parked;  // domains parked with unsent fresh rows, while they are few

    // Paused, cancelled or resumed: what was read is forgotten, and the walk starts again once
    // every lane has ended what it had in flight.
    bool draining = false;
    std::uint32_t rewalks = 0;  // times that the walk ended with somebody unsettled

    std::uint64_t lanes_open = 0;
    std::uint64_t lanes_parked = 0;
    std::uint64_t in_flight = 0;
    std::optional<RateWindow> rate;
    std::map<std::string, RateWindow> domain_rates;  // outlive the lanes that count in them
    std::map<SlotId, std::uint32_t>
        slots;  // leased recipients by session, when connections are limited

    CampaignNumber number() const { return plan.record.number; }
    bool granting() const {
        return plan.record.state == CampaignState::kRunning && open && !draining;
    }
    // When it may be sent again; nullopt: it may be now, or something else holds it.
    std::optional<WallTime> waits_until() const {
        if (open || plan.record.state != CampaignState::kRunning) return std::nullopt;
        return schedule_changes;
    }
    bool walked() const {
        return lanes_complete && deferred_complete && stragglers.empty() && lanes_ticket == 0 &&
               deferred_ticket == 0;
    }
};

}  // namespace posthorn
