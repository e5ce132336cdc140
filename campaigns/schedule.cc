#include "campaigns/schedule.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <exception>

#include "campaigns/nearest_name.h"
#include "engine/base/check.h"
#include "engine/base/units.h"

namespace posthorn {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::uint8_t kEveryDay = 0x7F;
constexpr int kDaysLookedAhead = 9;  // any window comes again within a week

std::optional<std::size_t> day_of(std::string_view name) {
    const auto found = std::find(kDays.begin(), kDays.end(), name);
    if (found == kDays.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kDays.begin());
}

// Null for an unknown name. The library throws; nothing of that leaves this function.
const date::time_zone* find_zone(const std::string& name) {
    try {
        return date::locate_zone(name.empty() ? "UTC" : name);
    } catch (const std::exception&) {
        return nullptr;
    }
}

WallTime to_wall(const date::time_zone& zone, date::local_seconds local) {
    const auto seconds = zone.to_sys(local, date::choose::earliest).time_since_epoch();
    return WallTime(std::chrono::duration_cast<Duration>(seconds));
}

class ZonedHours final : public SendingHours {
  public:
    ZonedHours(const date::time_zone& zone, std::vector<SendingWindow> windows)
        : zone_(zone), windows_(std::move(windows)) {}

    Period at(WallTime time) const override {
        const std::vector<Opening> openings = openings_around(time);
        for (const Opening& opening : openings) {
            if (time < opening.start) return {false, opening.start};
            if (time < opening.end) return {true, opening.end};
        }
        return {false, openings.empty() ? WallTime::max() : openings.back().end};
    }

  private:
    struct Opening {
        WallTime start, end;
    };

    // In order and apart: windows that meet are one.
    std::vector<Opening> openings_around(WallTime time) const {
        const date::sys_seconds now{
            std::chrono::floor<std::chrono::seconds>(time.time_since_epoch())};
        const auto today = date::floor<date::days>(zone_.to_local(now));
        std::vector<Opening> all;
        for (int day = -1; day <= kDaysLookedAhead; ++day) {
            const date::local_days date = today + date::days(day);
            const unsigned weekday = date::weekday(date).iso_encoding() - 1;
            for (const SendingWindow& window : windows_) {
                if ((window.days >> weekday & 1) == 0) continue;
                const auto end =
                    window.end > window.start ? window.end : window.end + std::chrono::hours(24);
                const Opening opening{to_wall(zone_, date + window.start),
                                      to_wall(zone_, date + end)};
                if (opening.start < opening.end) all.push_back(opening);
            }
        }
        std::sort(all.begin(), all.end(),
                  [](const Opening& a, const Opening& b) { return a.start < b.start; });
        std::vector<Opening> merged;
        for (const Opening& opening : all) {
            if (!merged.empty() && opening.start <= merged.back().end)
                merged.back().end = std::max(merged.back().end, opening.end);
            else
                merged.push_back(opening);
        }
        return merged;
    }

    const date::time_zone& zone_;
    std::vector<SendingWindow> windows_;
};

}  // namespace

std::uint8_t parse_weekdays(std::string_view text) {
    if (text == "daily") return kEveryDay;
    std::uint8_t days = 0;
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view part = text.substr(0, comma);
        const std::size_t dash = part.find('-');
        const auto first = day_of(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
        if (!first || !last) return 0;
        for (std::size_t day = *first;; day = (day + 1) % kDays.size()) {
            days = static_cast<std::uint8_t>(days | 1u << day);
            if (day == *last) break;
        }
        if (comma == text.size()) return days;
        text.remove_prefix(comma + 1);
    }
}

std::string weekdays_text(std::uint8_t days) {
    if (days == kEveryDay) return "daily";
    std::string out;
    for (std::size_t day = 0; day < kDays.size(); ++day) {
        if ((days >> day & 1) == 0) continue;
        std::size_t last = day;
        while (last + 1 < kDays.size() && (days >> (last + 1) & 1) != 0) ++last;
        if (!out.empty()) out += ",";
        out += kDays[day];
        if (last > day) out += (last == day + 1 ? "," : "-") + std::string(kDays[last]);
        day = last;
    }
    return out;
}

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
        return std::nullopt;
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 24 || minutes > 59 || (hours == 24 && minutes > 0)) return std::nullopt;
    return std::chrono::hours(hours) + std::chrono::minutes(minutes);
}

std::string time_of_day_text(std::chrono::minutes time) {
    const auto two = [](std::int64_t number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    return two(time.count() / 60) + ":" + two(time.count() % 60);
}

bool timezone_known(const std::string& name) {
    // Names become paths of the library's.
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '/' || c == '_' || c == '-' || c == '+';
    });
    return plain && find_zone(name) != nullptr;
}

std::string nearest_timezone(std::string_view wrong) {
    try {
        std::vector<std::string_view> names;
        for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
        const std::string_view near = nearest_name(wrong, names);
        if (!near.empty()) return std::string(near);
        for (const std::string_view name : names)  // "Vienna"
            if (!wrong.empty() && name.ends_with("/" + std::string(wrong)))
                return std::string(name);
    } catch (const std::exception&) {
    }
    return "";
}

std::optional<WallTime> parse_send_at(std::string_view text, const std::string& timezone) {
    constexpr std::size_t kMinutesBytes = 16, kSecondsBytes = 19;
    std::optional<WallTime> time = parse_rfc3339(text);
    if (!time && (text.size() == kMinutesBytes || text.size() == kSecondsBytes)) {
        const std::string whole = std::string(text) + (text.size() == kMinutesBytes ? ":00Z" : "Z");
        const auto local = parse_rfc3339(whole);
        const date::time_zone* const zone = find_zone(timezone);
        if (!local || zone == nullptr) return std::nullopt;
        time = to_wall(*zone, date::local_seconds(std::chrono::floor<std::chrono::seconds>(
                                  local->time_since_epoch())));
    }
    return time;
}

SendingSchedule sending_schedule(const CampaignSchedule& schedule) {
    SendingSchedule out{schedule.send_at, schedule.max_lateness, nullptr};
    if (schedule.windows.empty()) return out;
    const date::time_zone* const zone = find_zone(schedule.timezone);
    CHECK(zone != nullptr);
    out.hours = std::make_shared<ZonedHours>(*zone, schedule.windows);
    return out;
}

WallTime first_sending_time(const SendingSchedule& schedule, WallTime now) {
    const WallTime from = schedule.send_at.value_or(now);
    if (schedule.hours == nullptr) return from;
    const SendingHours::Period period = schedule.hours->at(from);
    return period.open ? from : period.until;
}

}  // namespace posthorn
