// What a person sees of a campaign being sent, as a function of pictures.
#include "tools/posthorn/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/posthorn/picture.h"
#include "tools/posthorn/terminal_text.h"
#include "tools/posthorn/view_feed.h"

namespace posthorn {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

ProgressPicture picture(double at_s, std::uint64_t delivered, std::uint64_t bounced = 0) {
    ProgressPicture picture;
    picture.at_s = at_s;
    picture.id = "spring";
    picture.name = "Spring launch";
    picture.state = CampaignState::kRunning;
    picture.recipients = 1000;
    picture.by_state[static_cast<std::size_t>(OutcomeState::kDelivered)] = delivered;
    picture.by_state[static_cast<std::size_t>(OutcomeState::kBounced)] = bounced;
    picture.by_state[static_cast<std::size_t>(OutcomeState::kPending)] = 1000 - delivered - bounced;
    return picture;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

TEST(ProgressHistory, RatesAndTimeLeftFollowFromPictures) {
    ProgressHistory history;
    for (int second = 0; second <= 5; ++second)
        history.add(picture(second, static_cast<std::uint64_t>(second) * 100));
    EXPECT_DOUBLE_EQ(history.rate_now(), 100);
    EXPECT_DOUBLE_EQ(history.rate_average(), 100);
    ASSERT_TRUE(history.seconds_left());
    EXPECT_DOUBLE_EQ(*history.seconds_left(), 5);
    history.add(picture(6, 500));
    EXPECT_DOUBLE_EQ(history.rate_now(), 0);
}

TEST(ProgressHistory, NoTimeIsToldFromTooLittle) {
    ProgressHistory history;
    EXPECT_FALSE(history.seconds_left());
    history.add(picture(0, 0));
    history.add(picture(1, 100));
    EXPECT_FALSE(history.seconds_left());
}

TEST(ProgressHistory, MemoryFollowsNeitherTimeNorPictures) {
    ProgressHistory history;
    for (int i = 0; i < 100'000; ++i) {
        ProgressPicture next = picture(i * 0.01, 10);
        next.notices.push_back("something happened");
        history.add(next);
    }
    EXPECT_LE(history.notices().size(), 4u);
    EXPECT_DOUBLE_EQ(history.rate_now(), 0);
}

TEST(ProgressScreen, ShowsOutcomesPaceAndSites) {
    ProgressHistory history;
    ProgressPicture first = picture(0, 0);
    first.sites.push_back({"mx.p1.test", 5, 0, 0, 0, "", ""});
    history.add(first);
    ProgressPicture second = picture(2, 400, 100);
    second.sites.push_back({"mx.p1.test", 7, 400, 3, 100, "", "421 slow down"});
    second.sessions = 7;
    history.add(second);
    const std::string screen = joined(progress_screen(history, {100, 24, false}));
    EXPECT_THAT(screen,
                AllOf(HasSubstr("spring · Spring launch"), HasSubstr("running"),
                      HasSubstr("50.0 %"), HasSubstr("delivered 400"), HasSubstr("bounced 100"),
                      HasSubstr("pending 500"), HasSubstr("7 sessions"), HasSubstr("mx.p1.test"),
                      HasSubstr("200/s"), HasSubstr("421 slow")));
    EXPECT_THAT(screen, Not(HasSubstr("\x1b")));
}

TEST(ProgressScreen, TheBarIsSplitByOutcome) {
    ProgressHistory history;
    history.add(picture(0, 500, 250));
    const std::vector<std::string> lines = progress_screen(history, {49, 24, false});
    // 40 cells: half delivered, a quarter bounced, a quarter pending.
    std::string expected;
    for (int i = 0; i < 20; ++i) expected += "█";
    for (int i = 0; i < 10; ++i) expected += "▓";
    for (int i = 0; i < 10; ++i) expected += "·";
    EXPECT_EQ(lines.at(1), expected + "  75.0 %");
}

TEST(ProgressScreen, OneRecipientInAMillionStillHasACell) {
    ProgressHistory history;
    ProgressPicture rare = picture(0, 0, 1);
    rare.recipients = 1'000'000;
    history.add(rare);
    EXPECT_THAT(progress_screen(history, {80, 24, false}).at(1), HasSubstr("▓"));
}

TEST(ProgressScreen, NeverWiderOrHigherThanTheTerminal) {
    ProgressHistory history;
    ProgressPicture full = picture(0, 100, 50);
    full.name = std::string(300, 'n');
    full.trouble = std::string(300, 't');
    for (std::size_t i = 0; i < 8; ++i)
        full.sites.push_back({std::string(200, 's'), 1, 2, 3, 4, std::string(200, 'w'), ""});
    for (int i = 0; i < 9; ++i) full.notices.push_back(std::string(200, 'x'));
    history.add(full);
    for (const std::size_t columns : {0u, 1u, 10u, 20u, 40u, 79u, 80u, 133u, 1000u})
        for (const std::size_t rows : {0u, 1u, 5u, 10u, 24u}) {
            const auto lines = progress_screen(history, {columns, rows, false});
            EXPECT_LE(lines.size(), std::max<std::size_t>(rows, 4) - 1);
            for (const std::string& line : lines)
                EXPECT_LE(columns_of(line), std::max<std::size_t>(columns, 21) - 1) << line;
        }
}

TEST(ProgressScreen, TextFromElsewhereCannotDriveTheTerminal) {
    ProgressHistory history;
    ProgressPicture bad = picture(0, 1);
    bad.id = "\x1b[2J";
    bad.trouble = "\x1b]0;title\x07";
    bad.notices = {"\x1b[31m"};
    bad.sites.push_back({"\x1b[5m", 1, 1, 1, 1, "\x1b[1A", ""});
    history.add(bad);
    EXPECT_THAT(progress_screen(history, {100, 24, false}), Each(Not(HasSubstr("\x1b"))));
    EXPECT_THAT(progress_line(history), Not(HasSubstr("\x1b")));
}

TEST(ProgressScreen, ColoursAreUsedOnlyWhereWanted) {
    ProgressHistory history;
    history.add(picture(0, 500));
    EXPECT_THAT(joined(progress_screen(history, {80, 24, true})), HasSubstr("\x1b[32m"));
}

TEST(ProgressLine, SaysTheSameInOneLine) {
    ProgressHistory history;
    history.add(picture(0, 0));
    history.add(picture(4, 400, 100));
    EXPECT_EQ(progress_line(history),
              "spring: 400 of 1,000 delivered, 100 bounced, 500 pending; 0.0/s; about 4.0 s to go");
}

TEST(ProgressJson, APictureSurvivesTheSocket) {
    ProgressPicture sent = picture(1.5, 10, 20);
    sent.pause_reason = "operator";
    sent.sites.push_back({"mx", 1, 2, 3, 4, "w", "f"});
    sent.notices = {"n"};
    sent.trouble = "t";
    sent.rows_read = 9;
    const auto received =
        progress_from_json(nlohmann::json::parse(to_json(sent).dump(), nullptr, false));
    ASSERT_TRUE(received);
    EXPECT_EQ(to_json(*received), to_json(sent));
    EXPECT_FALSE(progress_from_json(nlohmann::json::array()));
    EXPECT_TRUE(progress_from_json(nlohmann::json::parse(R"({"sites":[5],"outcomes":3})")));
}

RuntimeView view_at(std::int64_t seconds) {
    RuntimeView view;
    view.now = {Instant(std::chrono::seconds(seconds)), WallTime()};
    return view;
}

TEST(Picture, IsOfOneCampaignAmongAll) {
    CampaignView campaign;
    campaign.record.number = 7;
    campaign.record.id = "spring";
    campaign.record.state = CampaignState::kRunning;
    campaign.record.audience.recipients = 10;
    campaign.figures.by_state[static_cast<std::size_t>(OutcomeState::kDelivered)] = 4;
    campaign.figures.by_state[static_cast<std::size_t>(OutcomeState::kDeferred)] = 1;
    RuntimeView view = view_at(3);
    view.status.sessions = 5;
    for (int i = 0; i < 20; ++i) view.status.busiest.emplace_back();
    const ProgressPicture picture =
        picture_of(campaign, view,
                   {{Notice::Kind::kCampaignFinished, 7, "spring"},
                    {Notice::Kind::kCampaignFinished, 8, "autumn"},
                    {Notice::Kind::kSiteTrouble, 0, "mx.test: no route"}});
    EXPECT_DOUBLE_EQ(picture.at_s, 3);
    EXPECT_EQ(picture.count(OutcomeState::kPending), 5u);
    EXPECT_EQ(picture.settled(), 4u);
    EXPECT_EQ(picture.sites.size(), ProgressPicture::kSitesShown);
    EXPECT_EQ(picture.notices,
              (std::vector<std::string>{"spring is finished", "mx.test: no route"}));
}

TEST(ViewFeed, ASlowFollowerMissesPicturesButNoNotices) {
    ViewFeed feed;
    ViewFeed::Seen seen = feed.now_seen();
    for (int i = 1; i <= 3; ++i) {
        RuntimeView view = view_at(i);
        view.notices.push_back({Notice::Kind::kSiteTrouble, 0, std::to_string(i)});
        feed.publish(view);
    }
    const ViewFeed::News news = feed.wait(seen, std::chrono::seconds(10));
    ASSERT_NE(news.view, nullptr);
    EXPECT_EQ(news.view->now.instant, view_at(3).now.instant);
    EXPECT_EQ(news.notices.size(), 3u);
    EXPECT_FALSE(news.ended);
    feed.end();
    const ViewFeed::News last = feed.wait(seen, std::chrono::seconds(10));
    EXPECT_TRUE(last.ended);
    EXPECT_TRUE(last.notices.empty());
}

}  // namespace
}  // namespace posthorn
