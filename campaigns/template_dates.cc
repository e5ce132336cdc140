#include <algorithm>
#include <charconv>
#include <optional>

#include "campaigns/template_filters.h"
#include "engine/base/units.h"

namespace posthorn {
namespace {

constexpr std::string_view kDefaultFormat = "%Y-%m-%d";
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

struct Moment {
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;

    int weekday() const {  // 0 is Sunday (Sakamoto)
        constexpr int kShift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
        const int y = month < 3 ? year - 1 : year;
        return (y + y / 4 - y / 100 + y / 400 + kShift[month - 1] + day) % 7;
    }
};

// Exactly count digits at a place; -1 otherwise.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) return -1;
    int value = 0;
    for (char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// YYYY-MM-DD, then perhaps Thh:mm[:ss] whose offset is not applied: the time as it was written.
std::optional<Moment> parse_written(std::string_view text) {
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    Moment moment;
    moment.year = digits_at(text, 0, 4);
    moment.month = digits_at(text, 5, 2);
    moment.day = digits_at(text, 8, 2);
    if (moment.year < 0 || moment.month < 1 || moment.month > 12 || moment.day < 1 ||
        moment.day > 31)
        return std::nullopt;
    if (text.size() == 10) return moment;
    if ((text[10] != 'T' && text[10] != ' ') || text.size() < 16 || text[13] != ':')
        return std::nullopt;
    moment.hour = digits_at(text, 11, 2);
    moment.minute = digits_at(text, 14, 2);
    if (text.size() >= 19 && text[16] == ':') moment.second = digits_at(text, 17, 2);
    const bool good = moment.hour >= 0 && moment.hour < 24 && moment.minute >= 0 &&
                      moment.minute < 60 && moment.second >= 0 && moment.second <= 60;
    return good ? std::optional(moment) : std::nullopt;
}

std::optional<Moment> parse_moment(std::string_view text) {
    const bool number = !text.empty() && text.size() <= 11 &&
                        text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number) return parse_written(text);
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return parse_written(rfc3339(wall_from_micros(seconds * 1'000'000)));
}

void append_padded(std::string& out, int value, std::size_t width, char pad = '0') {
    const std::string digits = std::to_string(value);
    out.append(width > digits.size() ? width - digits.size() : 0, pad).append(digits);
}

void append_field(std::string& out, const Moment& moment, char letter) {
    const int hour12 = moment.hour % 12 == 0 ? 12 : moment.hour % 12;
    const std::string_view month = kMonths[moment.month - 1], day = kDays[moment.weekday()];
    switch (letter) {
        case 'Y':
            return append_padded(out, moment.year, 4);
        case 'y':
            return append_padded(out, moment.year % 100, 2);
        case 'm':
            return append_padded(out, moment.month, 2);
        case 'd':
            return append_padded(out, moment.day, 2);
        case 'e':
            return append_padded(out, moment.day, 1);
        case 'H':
            return append_padded(out, moment.hour, 2);
        case 'I':
            return append_padded(out, hour12, 2);
        case 'l':
            return append_padded(out, hour12, 1);
        case 'M':
            return append_padded(out, moment.minute, 2);
        case 'S':
            return append_padded(out, moment.second, 2);
        case 'p':
            out.append(moment.hour < 12 ? "AM" : "PM");
            return;
        case 'B':
            out.append(month);
            return;
        case 'b':
            out.append(month.substr(0, 3));
            return;
        case 'A':
            out.append(day);
            return;
        case 'a':
            out.append(day.substr(0, 3));
            return;
        case '%':
            out.push_back('%');
            return;
        default:
            out.push_back('%');
            out.push_back(letter);
    }
}

}  // namespace

bool append_formatted_date(std::string& out, std::string_view text, std::string_view format) {
    const std::optional<Moment> moment = parse_moment(text);
    if (!moment) return false;
    if (format.empty()) format = kDefaultFormat;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] == '%' && i + 1 < format.size())
            append_field(out, *moment, format[++i]);
        else
            out.push_back(format[i]);
    }
    return true;
}

}  // namespace posthorn
