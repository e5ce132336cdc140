#include "engine/delivery/retry_hint.h"

#include <algorithm>
#include <charconv>

namespace posthorn {
namespace {

constexpr std::size_t kTextRead = 1024;  // of a reply

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The whole word at the front, in lower case, is one of the unit's names.
bool names(std::string_view text, std::initializer_list<std::string_view> unit) {
    std::size_t length = 0;
    while (length < text.size() && is_letter(text[length])) ++length;
    return std::any_of(unit.begin(), unit.end(), [&](std::string_view name) {
        return name.size() == length && std::equal(name.begin(), name.end(), text.begin(),
                                                   [](char a, char b) { return a == (b | 32); });
    });
}

std::optional<Duration> unit_at(std::string_view text) {
    if (names(text, {"second", "seconds", "sec", "secs"})) return std::chrono::seconds(1);
    if (names(text, {"minute", "minutes", "min", "mins"})) return std::chrono::minutes(1);
    if (names(text, {"hour", "hours"})) return std::chrono::hours(1);
    return std::nullopt;
}

// "00:04:59" at the front, which is not part of something longer (an IPv6 address, say).
std::optional<Duration> clock_at(std::string_view text) {
    constexpr std::size_t kBytes = 8;
    if (text.size() < kBytes) return std::nullopt;
    for (std::size_t i = 0; i < kBytes; ++i)
        if (i % 3 == 2 ? text[i] != ':' : !is_digit(text[i])) return std::nullopt;
    if (text.size() > kBytes && (text[kBytes] == ':' || is_letter(text[kBytes])))
        return std::nullopt;
    const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    return std::chrono::hours(two(0)) + std::chrono::minutes(two(3)) + std::chrono::seconds(two(6));
}

// What follows the digits of a number: a bracket or blanks, then a unit.
std::optional<Duration> wait_of(std::uint32_t number, std::string_view behind) {
    while (!behind.empty() &&
           (behind.front() == ' ' || behind.front() == ')' || behind.front() == '-'))
        behind.remove_prefix(1);
    const auto unit = unit_at(behind);
    if (!unit) return std::nullopt;
    return *unit * std::int64_t{number};
}

}  // namespace

std::optional<Duration> wait_named_in(std::string_view text) {
    text = text.substr(0, kTextRead);
    const auto sound = [](const std::optional<Duration>& wait) {
        return wait && *wait > Duration(0) && *wait <= kHintMax;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool begins = is_digit(text[at]) &&
                            (at == 0 || (!is_digit(text[at - 1]) && !is_letter(text[at - 1]) &&
                                         text[at - 1] != '.' && text[at - 1] != ':'));
        if (!begins) continue;
        if (const auto wait = clock_at(text.substr(at)); sound(wait)) return wait;
        std::uint32_t number = 0;
        const auto [end, fault] =
            std::from_chars(text.data() + at, text.data() + text.size(), number);
        if (fault != std::errc()) continue;
        const auto wait = wait_of(number, text.substr(static_cast<std::size_t>(end - text.data())));
        if (sound(wait)) return wait;
    }
    return std::nullopt;
}

WallTime due_after_reply(const RetryPolicy& retry, const AttemptRecord& attempt,
                         std::uint32_t attempts, WallTime first_lease, WallTime now,
                         Random& random) {
    const auto between = [&](Duration low, Duration high) {
        const Duration wait(random.between(low.count(), high.count()));
        return std::max(now, std::min(now + wait, first_lease + retry.age_max));
    };
    if (attempt.reply.transient())
        if (const auto hint = wait_named_in(attempt.reply.text))
            return between(*hint, *hint + *hint / 10 + std::chrono::seconds(5));
    if (attempt.category == Category::kGreylisted) {
        const Duration step =
            retry.schedule[std::min<std::size_t>(attempts, retry.schedule.size()) - 1];
        return between(step, step + step * 2 / 5);
    }
    return retry.next_due(attempts, first_lease, now, random);
}

}  // namespace posthorn
