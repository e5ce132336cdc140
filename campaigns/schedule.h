// When a campaign may be sent: a first moment, and windows by weekday in a time zone of the IANA
// database (as Debian's tzdata has it, known up to 2037).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/delivery/campaign_plan.h"

namespace posthorn {

// From start to end on each of the days. One that ends where it starts or earlier ends on the day
// after.
struct SendingWindow {
    std::uint8_t days = 0;  // bit 0: Monday
    std::chrono::minutes start{0}, end{0};

    friend bool operator==(const SendingWindow&, const SendingWindow&) = default;
};

struct CampaignSchedule {
    std::optional<WallTime> send_at;
    std::string timezone;  // empty: UTC
    std::vector<SendingWindow> windows;
    Duration max_lateness{std::chrono::hours(1)};

    friend bool operator==(const CampaignSchedule&, const CampaignSchedule&) = default;
};

inline constexpr int kLastScheduleYear = 2037;

// "mon-fri", "sat", "mon,wed-thu", "daily"; a bit per day, 0 for anything else.
std::uint8_t parse_weekdays(std::string_view text);
std::string weekdays_text(std::uint8_t days);

// "08:00" to "24:00".
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);
std::string time_of_day_text(std::chrono::minutes time);

bool timezone_known(const std::string& name);
std::string nearest_timezone(std::string_view wrong);  // empty: none is near

// RFC 3339, or the same without an offset, in the time zone. In the hour that a change of the clock
// leaves out or repeats, the earlier reading counts.
std::optional<WallTime> parse_send_at(std::string_view text, const std::string& timezone);

// For the scheduler. The time zone is a known one.
SendingSchedule sending_schedule(const CampaignSchedule& schedule);

// When it begins: the first moment from send_at on, or from now, that is inside a window.
WallTime first_sending_time(const SendingSchedule& schedule, WallTime now);

}  // namespace posthorn
