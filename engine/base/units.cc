#include "engine/base/units.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace posthorn {

namespace {

struct Unit {
    std::string_view name;
    Duration length;
};

constexpr std::array<Unit, 5> kUnits = {{{"d", std::chrono::hours(24)},
                                         {"h", std::chrono::hours(1)},
                                         {"m", std::chrono::minutes(1)},
                                         {"s", std::chrono::seconds(1)},
                                         {"ms", std::chrono::milliseconds(1)}}};

constexpr std::uint64_t kDurationMillisMax = 10ULL * 366 * 24 * 3600 * 1000;
constexpr std::uint64_t kRateCountMax = 1'000'000'000;

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

std::optional<Duration> unit_length(std::string_view name) {
    for (const Unit& unit : kUnits)
        if (unit.name == name) return unit.length;
    return std::nullopt;
}

// Exactly `width` digits at the front of the text, as a number.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
    if (text.size() < width) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

// Fractional seconds, to the microsecond; further digits are dropped.
std::optional<Duration> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return Duration(0);
    std::int64_t micros = 0;
    std::int64_t weight = 100'000;
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        micros += (text.front() - '0') * weight;
        weight /= 10;
        ++digits;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    return Duration(micros);
}

std::optional<Duration> take_offset(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) return Duration(0);
    const bool negative = !text.empty() && text.front() == '-';
    if (!negative && (text.empty() || text.front() != '+')) return std::nullopt;
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return negative ? -offset : offset;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    const auto count = take_number(text);
    const auto length = unit_length(text);
    if (!count || !length) return std::nullopt;
    const auto millis = static_cast<std::uint64_t>(*length / std::chrono::milliseconds(1));
    if (*count > kDurationMillisMax / millis) return std::nullopt;
    return *length * static_cast<std::int64_t>(*count);
}

std::optional<Rate> parse_rate(std::string_view text) {
    const auto count = take_number(text);
    if (!count || *count == 0 || *count > kRateCountMax || !take(text, '/') || text == "ms")
        return std::nullopt;
    const auto window = unit_length(text);
    if (!window) return std::nullopt;
    return Rate{*count, *window};
}

std::string to_string(Duration duration) {
    for (const Unit& unit : kUnits)
        if (duration >= unit.length && duration % unit.length == Duration(0))
            return std::to_string(duration / unit.length) + std::string(unit.name);
    if (duration == Duration(0)) return "0s";
    return std::to_string(duration / std::chrono::milliseconds(1)) + "ms";
}

std::string in_seconds(Duration duration) {
    return to_string(std::chrono::ceil<std::chrono::seconds>(duration));
}

std::string to_string(Rate rate) {
    for (const Unit& unit : kUnits)
        if (rate.window == unit.length)
            return std::to_string(rate.count) + "/" + std::string(unit.name);
    return std::to_string(rate.count) + "/" + to_string(rate.window);
}

std::string with_separators(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string rfc3339(WallTime time) {
    using namespace std::chrono;
    const sys_time<Duration> utc(time.time_since_epoch());
    const auto day = floor<days>(utc);
    const year_month_day date(day);
    const hh_mm_ss clock(utc - day);
    std::array<char, 40> text;
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto year_number = take_digits(text, 4);
    if (!year_number || *year_number < 1970 || !take(text, '-')) return std::nullopt;
    const auto month_number = take_digits(text, 2);
    if (!month_number || !take(text, '-')) return std::nullopt;
    const auto day_number = take_digits(text, 2);
    if (!day_number || !(take(text, 'T') || take(text, 't') || take(text, ' ')))
        return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || !take(text, ':')) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                              day(static_cast<unsigned>(*day_number))};
    const auto fraction = take_fraction(text);
    const auto offset = take_offset(text);
    if (!date.ok() || !fraction || !offset || !text.empty()) return std::nullopt;
    const auto utc = sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) +
                     seconds(*second) + *fraction - *offset;
    return WallTime(duration_cast<Duration>(utc));
}

}  // namespace posthorn
