// KEY=VALUE as posthorn set takes it.
#include "tools/posthorn/campaign_settings.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::minutes;

TEST(CampaignSettings, EveryKeyIsTaken) {
    Throttle throttle;
    RetryPolicy retry;
    CampaignSchedule schedule;
    ASSERT_TRUE(apply_settings({"throttle.rate=200/s", "throttle.max_connections=50",
                                "throttle.per_domain.Gmail.com.rate=20/s",
                                "throttle.per_domain.gmail.com.max_connections=5",
                                "throttle.stop_if.bounce_percent=7.5", "throttle.stop_if.after=99",
                                "retry.schedule=5m,15m,1h", "retry.max_attempts=7",
                                "retry.max_age=2d", "retry.uncertain=hold"},
                               throttle, retry, schedule)
                    .has_value());
    EXPECT_EQ(throttle.all.rate, parse_rate("200/s"));
    EXPECT_EQ(throttle.all.connections_max, 50u);
    EXPECT_EQ(throttle.per_domain.at("gmail.com").rate, parse_rate("20/s"));
    EXPECT_EQ(throttle.per_domain.at("gmail.com").connections_max, 5u);
    EXPECT_EQ(throttle.stop_bounce_percent, 7.5);
    EXPECT_EQ(throttle.stop_after, 99u);
    EXPECT_EQ(retry.schedule, (std::vector<Duration>{minutes(5), minutes(15), minutes(60)}));
    EXPECT_EQ(retry.attempts_max, 7u);
    EXPECT_EQ(retry.age_max, std::chrono::hours(48));
    EXPECT_TRUE(retry.hold_uncertain);
}

TEST(CampaignSettings, NoneTakesALimitAway) {
    Throttle throttle;
    RetryPolicy retry;
    CampaignSchedule schedule;
    throttle.all.rate = parse_rate("5/s");
    throttle.per_domain["a.test"].rate = parse_rate("1/s");
    ASSERT_TRUE(apply_settings({"throttle.rate=none", "throttle.per_domain.a.test.rate=none"},
                               throttle, retry, schedule)
                    .has_value());
    EXPECT_EQ(throttle, Throttle());
}

TEST(CampaignSettings, OneFaultChangesNothingAndAllAreNamed) {
    Throttle throttle;
    RetryPolicy retry;
    CampaignSchedule schedule;
    const Status set = apply_settings(
        {"throttle.rate=200/s", "throttle.rate=fast", "retry.max_attempts=0", "subject=Hi", "x"},
        throttle, retry, schedule);
    ASSERT_FALSE(set.has_value());
    for (const char* wrong : {"throttle.rate=fast", "retry.max_attempts=0", "subject=Hi", "'x'"})
        EXPECT_NE(set.error().message.find(wrong), std::string::npos) << wrong;
    EXPECT_EQ(throttle, Throttle());
}

TEST(CampaignSettings, WrongValuesAreRefused) {
    for (const char* assignment :
         {"throttle.max_connections=-1", "throttle.max_connections=x",
          "retry.schedule=", "retry.schedule=5m,,1h", "retry.schedule=0s", "retry.max_age=never",
          "retry.uncertain=maybe", "throttle.per_domain.rate=5/s",
          "throttle.per_domain.a.test.speed=5/s", "throttle.stop_if.bounce_percent=nan",
          "throttle.stop_if.bounce_percent=101", "throttle.stop_if.after=0"}) {
        Throttle throttle;
        RetryPolicy retry;
        CampaignSchedule schedule;
        EXPECT_FALSE(apply_settings({assignment}, throttle, retry, schedule).has_value())
            << assignment;
        EXPECT_EQ(throttle, Throttle()) << assignment;
    }
}

}  // namespace
}  // namespace posthorn
