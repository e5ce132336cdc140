#include "tools/posthorn/campaign_settings.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "engine/base/units.h"
#include "engine/mail/address.h"

namespace posthorn {

namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number low, Number high) {
    Number number{};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (!(number >= low && number <= high)) return std::nullopt;
    return number;
}

constexpr std::uint32_t kConnectionsMax = 1'000'000;
constexpr std::uint32_t kAttemptsMax = 1'000;

bool set_rate(std::optional<Rate>& to, std::string_view value) {
    to = parse_rate(value);
    return to || value == "none";
}

bool set_connections(std::optional<std::uint32_t>& to, std::string_view value) {
    to = parse_number<std::uint32_t>(value, 1, kConnectionsMax);
    return to || value == "none";
}

bool set_schedule(std::vector<Duration>& to, std::string_view value) {
    constexpr std::size_t kStepsMax = 100;
    to.clear();
    while (true) {
        const std::size_t comma = value.find(',');
        const auto step = parse_duration(value.substr(0, comma));
        if (!step || *step <= Duration(0) || to.size() == kStepsMax) return false;
        to.push_back(*step);
        if (comma == std::string_view::npos) return true;
        value.remove_prefix(comma + 1);
    }
}

// "gmail.com.rate": a domain and which of its limits.
bool set_per_domain(Throttle& throttle, std::string_view rest, std::string_view value) {
    const std::size_t dot = rest.rfind('.');
    std::string domain;
    if (dot == std::string_view::npos ||
        parse_domain(rest.substr(0, dot), domain) != AddressFault::kNone)
        return false;
    ThrottleLimit& limit = throttle.per_domain[domain];
    const std::string_view which = rest.substr(dot + 1);
    const bool known = which == "rate"              ? set_rate(limit.rate, value)
                       : which == "max_connections" ? set_connections(limit.connections_max, value)
                                                    : false;
    if (limit == ThrottleLimit()) throttle.per_domain.erase(domain);
    return known;
}

bool set_bounce_percent(Throttle& throttle, std::string_view value) {
    throttle.stop_bounce_percent = parse_number<double>(value, 0, 100);
    return throttle.stop_bounce_percent || value == "none";
}

template <class Number, class To>
bool set_number(To& to, std::string_view value, Number low, Number high) {
    const auto number = parse_number<Number>(value, low, high);
    if (number) to = *number;
    return number.has_value();
}

bool set_age(Duration& to, std::string_view value) {
    const auto age = parse_duration(value);
    if (age) to = *age;
    return age && *age > Duration(0);
}

bool set_uncertain(RetryPolicy& retry, std::string_view value) {
    retry.hold_uncertain = value == "hold";
    return value == "hold" || value == "resend";
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

// "mon-fri 08:00-18:00"; days may be left out.
std::optional<SendingWindow> parse_window(std::string_view text) {
    SendingWindow window;
    const std::size_t blank = text.find(' ');
    const std::string_view days = blank == std::string_view::npos ? "daily" : text.substr(0, blank);
    const std::string_view times =
        blank == std::string_view::npos ? text : trimmed(text.substr(blank));
    const std::size_t dash = times.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    window.days = parse_weekdays(days);
    const auto start = parse_time_of_day(times.substr(0, dash));
    const auto end = parse_time_of_day(times.substr(dash + 1));
    if (window.days == 0 || !start || !end) return std::nullopt;
    window.start = *start;
    window.end = *end;
    return window;
}

bool set_windows(CampaignSchedule& schedule, std::string_view value) {
    constexpr std::size_t kWindowsMax = 100;
    schedule.windows.clear();
    if (value == "none") return true;
    while (true) {
        const std::size_t end = std::min(value.find(';'), value.size());
        const auto window = parse_window(trimmed(value.substr(0, end)));
        if (!window || schedule.windows.size() == kWindowsMax) return false;
        schedule.windows.push_back(*window);
        if (end == value.size()) return true;
        value.remove_prefix(end + 1);
    }
}

bool apply_to_schedule(std::string_view key, std::string_view value, CampaignSchedule& schedule) {
    if (key == "schedule.windows") return set_windows(schedule, value);
    if (key == "schedule.timezone") {
        schedule.timezone = value;
        return timezone_known(schedule.timezone);
    }
    if (key == "schedule.send_at") {
        schedule.send_at = parse_send_at(value, schedule.timezone);
        return schedule.send_at || value == "none";
    }
    if (key != "schedule.max_lateness") return false;
    const auto lateness = parse_duration(value);
    if (lateness) schedule.max_lateness = *lateness;
    return lateness.has_value();
}

bool apply(std::string_view key, std::string_view value, Throttle& throttle, RetryPolicy& retry) {
    constexpr std::string_view kPerDomain = "throttle.per_domain.";
    constexpr std::uint64_t kAfterMax = 1'000'000'000;
    if (key == "throttle.rate") return set_rate(throttle.all.rate, value);
    if (key == "throttle.max_connections")
        return set_connections(throttle.all.connections_max, value);
    if (key == "throttle.stop_if.bounce_percent") return set_bounce_percent(throttle, value);
    if (key == "throttle.stop_if.after")
        return set_number<std::uint64_t>(throttle.stop_after, value, 1, kAfterMax);
    if (key.starts_with(kPerDomain))
        return set_per_domain(throttle, key.substr(kPerDomain.size()), value);
    if (key == "retry.schedule") return set_schedule(retry.schedule, value);
    if (key == "retry.max_attempts")
        return set_number<std::uint32_t>(retry.attempts_max, value, 1, kAttemptsMax);
    if (key == "retry.max_age") return set_age(retry.age_max, value);
    if (key == "retry.uncertain") return set_uncertain(retry, value);
    return false;
}

}  // namespace

Status apply_settings(const std::vector<std::string>& assignments, Throttle& throttle,
                      RetryPolicy& retry, CampaignSchedule& schedule) {
    Throttle new_throttle = throttle;
    RetryPolicy new_retry = retry;
    CampaignSchedule new_schedule = schedule;
    std::string faults;
    for (const std::string& assignment : assignments) {
        const std::string_view text = assignment;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos &&
            (apply(text.substr(0, equals), text.substr(equals + 1), new_throttle, new_retry) ||
             apply_to_schedule(text.substr(0, equals), text.substr(equals + 1), new_schedule)))
            continue;
        faults += (faults.empty() ? "'" : "\n'") + assignment + "' cannot be set";
    }
    if (!faults.empty())
        return Error{ErrorKind::kInvalid,
                     faults +
                         ": write throttle.rate=200/s, throttle.max_connections=50, "
                         "throttle.per_domain.DOMAIN.rate=20/s, "
                         "throttle.stop_if.bounce_percent=8, retry.schedule=5m,1h, "
                         "retry.max_attempts=12, retry.max_age=48h, retry.uncertain=hold, "
                         "schedule.send_at=2026-04-02T09:00:00Z, schedule.max_lateness=1h, "
                         "schedule.timezone=Europe/Vienna or 'schedule.windows=mon-fri "
                         "08:00-18:00'"};
    throttle = std::move(new_throttle);
    retry = std::move(new_retry);
    schedule = std::move(new_schedule);
    return {};
}

}  // namespace posthorn
