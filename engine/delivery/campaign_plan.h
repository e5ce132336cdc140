// What delivery needs to know of a campaign: who renders it, how fast it may go, how long it tries.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/units.h"
#include "engine/delivery/renderer.h"
#include "engine/delivery/retry_policy.h"
#include "engine/queue/model.h"

namespace posthorn {

struct ThrottleLimit {
    std::optional<Rate> rate;
    std::optional<std::uint32_t> connections_max;

    friend bool operator==(const ThrottleLimit&, const ThrottleLimit&) = default;
};

struct Throttle {
    ThrottleLimit all;
    std::map<std::string, ThrottleLimit> per_domain;  // by A-label
    std::optional<double> stop_bounce_percent;        // pause the campaign beyond it ...
    std::uint64_t stop_after = 200;                   // ... once so many have an outcome

    friend bool operator==(const Throttle&, const Throttle&) = default;
};

struct CampaignPlan {
    CampaignRecord record;  // as stored: number, state, audience
    std::shared_ptr<const Renderer> renderer;
    RetryPolicy retry;
    Throttle throttle;
};

}  // namespace posthorn
