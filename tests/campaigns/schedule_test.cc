#include "campaigns/schedule.h"

#include <gtest/gtest.h>

#include "engine/base/units.h"

namespace posthorn {
namespace {

using std::chrono::minutes;

WallTime at(const char* time) { return *parse_rfc3339(time); }

// "open until TIME" or "closed until TIME" in UTC, to the minute.
std::string period(const CampaignSchedule& schedule, const char* time) {
    const SendingHours::Period found = sending_schedule(schedule).hours->at(at(time));
    return std::string(found.open ? "open" : "closed") + " until " +
           (found.until == WallTime::max() ? "ever" : rfc3339(found.until).substr(0, 16));
}

CampaignSchedule windows(const std::string& zone, std::vector<SendingWindow> all) {
    CampaignSchedule schedule;
    schedule.timezone = zone;
    schedule.windows = std::move(all);
    return schedule;
}

SendingWindow window(std::string_view days, std::string_view start, std::string_view end) {
    return {parse_weekdays(days), *parse_time_of_day(start), *parse_time_of_day(end)};
}

TEST(Schedule, WeekdaysAreRangesAndLists) {
    EXPECT_EQ(parse_weekdays("mon"), 0b0000001);
    EXPECT_EQ(parse_weekdays("mon-fri"), 0b0011111);
    EXPECT_EQ(parse_weekdays("sat,sun"), 0b1100000);
    EXPECT_EQ(parse_weekdays("fri-mon"), 0b1110001);
    EXPECT_EQ(parse_weekdays("daily"), 0b1111111);
    EXPECT_EQ(parse_weekdays("mon,wed-thu"), 0b0001101);
    for (const char* wrong : {"", "monday", "mon-", "mon,,tue", "Mon", "mon fri", "mon-fri-sun"})
        EXPECT_EQ(parse_weekdays(wrong), 0) << wrong;
    for (int days = 1; days < 128; ++days)
        EXPECT_EQ(parse_weekdays(weekdays_text(static_cast<std::uint8_t>(days))), days);
}

TEST(Schedule, TimesOfDayHaveTwoDigitsEach) {
    EXPECT_EQ(parse_time_of_day("08:05"), minutes(485));
    EXPECT_EQ(parse_time_of_day("24:00"), minutes(1440));
    for (const char* wrong : {"8:05", "08:60", "24:01", "25:00", "0805", "08:05:00", "08h05", ""})
        EXPECT_FALSE(parse_time_of_day(wrong)) << wrong;
    EXPECT_EQ(time_of_day_text(minutes(485)), "08:05");
}

TEST(Schedule, WindowsOpenAndCloseInTheirTimeZone) {
    const auto vienna = windows("Europe/Vienna", {window("mon-fri", "08:00", "18:00")});
    // 2026-04-02 is a Thursday, in summer time.
    EXPECT_EQ(period(vienna, "2026-04-02T05:59:59Z"), "closed until 2026-04-02T06:00");
    EXPECT_EQ(period(vienna, "2026-04-02T06:00:00Z"), "open until 2026-04-02T16:00");
    EXPECT_EQ(period(vienna, "2026-04-02T16:00:00Z"), "closed until 2026-04-03T06:00");
    EXPECT_EQ(period(vienna, "2026-04-03T16:00:00Z"), "closed until 2026-04-06T06:00");
    // In winter the same hours are an hour later in UTC.
    EXPECT_EQ(period(vienna, "2026-01-02T06:30:00Z"), "closed until 2026-01-02T07:00");
    const auto utc = windows("", {window("daily", "08:00", "18:00")});
    EXPECT_EQ(period(utc, "2026-04-02T06:30:00Z"), "closed until 2026-04-02T08:00");
}

TEST(Schedule, WindowsReachOverMidnightAndMeet) {
    const auto night = windows("", {window("fri", "22:00", "02:00")});
    EXPECT_EQ(period(night, "2026-04-03T23:00:00Z"), "open until 2026-04-04T02:00");
    EXPECT_EQ(period(night, "2026-04-04T01:00:00Z"), "open until 2026-04-04T02:00");
    EXPECT_EQ(period(night, "2026-04-04T02:00:00Z"), "closed until 2026-04-10T22:00");
    const auto meeting =
        windows("", {window("mon", "00:00", "24:00"), window("tue", "00:00", "06:00")});
    EXPECT_EQ(period(meeting, "2026-03-30T05:00:00Z"), "open until 2026-03-31T06:00");
}

TEST(Schedule, AWindowOnTheDayTheClockChangesKeepsItsLocalTimes) {
    // 02:30 does not exist in Vienna on 2026-03-29; the window opens when the clock goes on.
    const auto vienna = windows("Europe/Vienna", {window("sun", "02:30", "04:00")});
    EXPECT_EQ(period(vienna, "2026-03-29T00:00:00Z"), "closed until 2026-03-29T01:00");
    EXPECT_EQ(period(vienna, "2026-03-29T01:30:00Z"), "open until 2026-03-29T02:00");
    // 02:30 comes twice on 2026-10-25: from the first on.
    EXPECT_EQ(period(vienna, "2026-10-25T00:00:00Z"), "closed until 2026-10-25T00:30");
    EXPECT_EQ(period(vienna, "2026-10-25T00:30:00Z"), "open until 2026-10-25T03:00");
}

TEST(Schedule, SendAtIsRfc3339OrLocal) {
    EXPECT_EQ(parse_send_at("2026-04-02T09:00:00+02:00", ""), at("2026-04-02T07:00:00Z"));
    EXPECT_EQ(parse_send_at("2026-04-02T09:00:00", "Europe/Vienna"), at("2026-04-02T07:00:00Z"));
    EXPECT_EQ(parse_send_at("2026-04-02T09:00", "America/New_York"), at("2026-04-02T13:00:00Z"));
    EXPECT_EQ(parse_send_at("2026-04-02T09:00", ""), at("2026-04-02T09:00:00Z"));
    for (const char* wrong : {"", "2026-04-02", "tomorrow", "2026-13-02T09:00:00Z", "09:00"})
        EXPECT_FALSE(parse_send_at(wrong, "")) << wrong;
}

TEST(Schedule, TimeZonesAreThoseOfTheDatabase) {
    for (const char* name : {"Europe/Vienna", "America/New_York", "UTC", "Asia/Kolkata"})
        EXPECT_TRUE(timezone_known(name)) << name;
    for (const char* name : {"Europe/Viena", "../../etc/passwd", "Mars/Base", "Vienna"})
        EXPECT_FALSE(timezone_known(name)) << name;
    EXPECT_EQ(nearest_timezone("Europe/Viena"), "Europe/Vienna");
    EXPECT_EQ(nearest_timezone("Kolkata"), "Asia/Kolkata");
}

TEST(Schedule, TheFirstSendingTimeIsInsideAWindow) {
    CampaignSchedule schedule = windows("", {window("mon-fri", "08:00", "18:00")});
    const WallTime now = at("2026-04-01T12:00:00Z");
    EXPECT_EQ(first_sending_time(sending_schedule(schedule), now), now);
    schedule.send_at = at("2026-04-03T19:00:00Z");  // a Friday
    EXPECT_EQ(first_sending_time(sending_schedule(schedule), now), at("2026-04-06T08:00:00Z"));
    schedule.windows.clear();
    EXPECT_EQ(first_sending_time(sending_schedule(schedule), now), *schedule.send_at);
}

}  // namespace
}  // namespace posthorn
