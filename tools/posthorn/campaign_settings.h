// What may be changed of a campaign while it runs: throttle, retry and schedule, as KEY=VALUE on
// the command line.
//
//   throttle.rate=200/s                       throttle.max_connections=50
//   throttle.per_domain.DOMAIN.rate=20/s      throttle.per_domain.DOMAIN.max_connections=5
//   throttle.stop_if.bounce_percent=8         throttle.stop_if.after=200
//   retry.schedule=5m,15m,1h                  retry.max_attempts=12
//   retry.max_age=48h                         retry.uncertain=resend | hold
//   schedule.send_at=2026-04-02T09:00:00Z     schedule.max_lateness=1h
//   schedule.timezone=Europe/Vienna           schedule.windows=mon-fri 08:00-18:00; sat 10:00-12:00
//
// "none" takes a limit, send_at or the windows away. A send_at without an offset is in the time
// zone that was set before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "campaigns/schedule.h"
#include "engine/base/result.h"
#include "engine/delivery/campaign_plan.h"

namespace posthorn {

// kInvalid names every assignment that is wrong, one a line; then nothing is changed.
Status apply_settings(const std::vector<std::string>& assignments, Throttle& throttle,
                      RetryPolicy& retry, CampaignSchedule& schedule);

}  // namespace posthorn
