// The report in pieces, over domains of any number.
#include "tools/posthorn/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"

namespace posthorn {
namespace {

class Lines : public LineSink {
  public:
    bool line(std::string_view json) override {
        all.emplace_back(json);
        return true;
    }
    bool flush() override { return true; }

    std::vector<std::string> all;
};

CampaignReport report_of(std::size_t domains) {
    CampaignReport report;
    report.summary = std::make_unique<nlohmann::ordered_json>();
    (*report.summary)["campaign"] = "spring";
    for (std::size_t i = 0; i < domains; ++i)
        report.domains.push_back({"d" + std::to_string(i) + ".test", i + 4, i + 1, 2, 1});
    return report;
}

std::string put_together(const std::vector<std::string>& lines, ReportPieces& pieces) {
    std::string text;
    for (const std::string& line : lines) text += pieces.take(line);
    return text;
}

TEST(ReportPieces, MakeOneLineOfAnyNumberOfDomains) {
    for (const std::size_t domains : {0, 1, 2000, 2001, 6500}) {
        Lines lines;
        ASSERT_TRUE(put_report(lines, report_of(domains)));
        ReportPieces pieces;
        const auto report = nlohmann::json::parse(put_together(lines.all, pieces));
        EXPECT_TRUE(pieces.complete());
        EXPECT_EQ(report["campaign"], "spring");
        ASSERT_EQ(report["domains"].size(), domains);
        for (std::size_t i = 0; i < domains; ++i)
            ASSERT_EQ(report["domains"][i],
                      nlohmann::json({{"domain", "d" + std::to_string(i) + ".test"},
                                      {"recipients", i + 4},
                                      {"delivered", i + 1},
                                      {"bounced", 2},
                                      {"deferred", 1}}));
    }
}

TEST(ReportPieces, AreShortEnoughForTheSocketWithTheLongestNames) {
    CampaignReport report = report_of(4000);
    for (DomainFigures& domain : report.domains) domain.domain = std::string(253, 'x');
    Lines lines;
    ASSERT_TRUE(put_report(lines, report));
    for (const std::string& line : lines.all) EXPECT_LT(line.size(), 1u << 20);
}

TEST(ReportPieces, AreNotCompleteWhenTheOwnerDiedMeanwhile) {
    Lines lines;
    ASSERT_TRUE(put_report(lines, report_of(3000)));
    lines.all.pop_back();
    ReportPieces pieces;
    put_together(lines.all, pieces);
    EXPECT_FALSE(pieces.complete());
}

TEST(ReportPieces, LeaveOtherLinesAlone) {
    ReportPieces pieces;
    for (const char* line : {R"({"progress":{}})", R"({"domains":[{"domain":"a.test"}]})",
                             R"({"report_end":true})", "", "{"})
        EXPECT_EQ(pieces.take(line), "") << line;
    EXPECT_FALSE(pieces.complete());
}

class FiguresTest : public testing::Test {
  protected:
    void lane(const std::string& domain, std::uint64_t recipients, std::uint64_t delivered) {
        LaneRecord record;
        record.recipients = recipients;
        record.figures.by_state[static_cast<std::size_t>(OutcomeState::kDelivered)] = delivered;
        WriteBatch batch;
        batch.put(Family::kLane, lane_key({1, domain}), encode(record));
        ASSERT_TRUE(store_->write(batch).has_value());
    }
    std::vector<std::string> largest(std::size_t most) {
        const auto read = read_figures(*store_, 1, most);
        EXPECT_TRUE(read);
        EXPECT_EQ(read->domain_count, 5u);
        EXPECT_EQ(read->total.by_state[static_cast<std::size_t>(OutcomeState::kDelivered)], 15u);
        std::vector<std::string> names;
        for (const DomainFigures& domain : read->domains) names.push_back(domain.domain);
        return names;
    }

    std::unique_ptr<Store> store_ = make_memory_store();
};

TEST_F(FiguresTest, KeepTheLargestDomainsAndCountAll) {
    lane("a.test", 10, 1);
    lane("b.test", 40, 2);
    lane("c.test", 20, 3);
    lane("d.test", 50, 4);
    lane("e.test", 40, 5);
    using Names = std::vector<std::string>;
    EXPECT_EQ(largest(0), Names{});
    EXPECT_EQ(largest(1), Names{"d.test"});
    EXPECT_EQ(largest(3), (Names{"d.test", "b.test", "e.test"}));
    EXPECT_EQ(largest(9), (Names{"d.test", "b.test", "e.test", "c.test", "a.test"}));
}

}  // namespace
}  // namespace posthorn
