// What may be changed of a campaign while it runs: throttle and retry, as KEY=VALUE on the command
// line.
//
//   throttle.rate=200/s                       throttle.max_connections=50
//   throttle.per_domain.DOMAIN.rate=20/s      throttle.per_domain.DOMAIN.max_connections=5
//   throttle.stop_if.bounce_percent=8         throttle.stop_if.after=200
//   retry.schedule=5m,15m,1h                  retry.max_attempts=12
//   retry.max_age=48h                         retry.uncertain=resend | hold
//
// "none" takes a limit away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/delivery/campaign_plan.h"

namespace posthorn {

// kInvalid names every assignment that is wrong, one a line; then nothing is changed.
Status apply_settings(const std::vector<std::string>& assignments, Throttle& throttle,
                      RetryPolicy& retry);

}  // namespace posthorn
