// What delivery needs to know of a campaign: who renders it, how fast it may go, how long it tries.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/time.h"
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

// When the campaign may be sent, as a function of the time alone. Implemented above, where time
// zones are known.
class SendingHours {
  public:
    virtual ~SendingHours() = default;

    struct Period {
        bool open = true;
        WallTime until;  // when that changes; WallTime::max(): never
    };
    virtual Period at(WallTime time) const = 0;
};

struct SendingSchedule {
    std::optional<WallTime> send_at;               // nothing before it
    Duration max_lateness{std::chrono::hours(1)};  // later than that it does not begin by itself
    std::shared_ptr<const SendingHours> hours;     // null: at any time
};

struct CampaignPlan {
    CampaignRecord record;  // as stored: number, state, audience
    std::shared_ptr<const Renderer> renderer;
    RetryPolicy retry;
    Throttle throttle;
    SendingSchedule schedule{};
    std::string unready{};  // why it cannot be sent now; there is no renderer then
};

}  // namespace posthorn
