// How well the shipped rules agree with replies that people have labelled. A row is "reply, labels
// (a|b: either is right), source". An address should be suppressed when every label says so and the
// reply is not transient; rows with labels of both kinds do not count for suppression.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/mail/classifier.h"
#include "engine/mail/reply_line.h"

namespace posthorn {
namespace {

struct Figures {
    int rows = 0;
    int agreed = 0;
    int rightly_suppressed = 0;
    int wrongly_suppressed = 0;
    int wrongly_kept = 0;
    std::map<std::string, std::pair<int, int>> by_source;  // agreed, rows
    std::string wrong_suppressions;

    double agreement() const { return static_cast<double>(agreed) / rows; }
    double precision() const {
        return static_cast<double>(rightly_suppressed) / (rightly_suppressed + wrongly_suppressed);
    }
    double recall() const {
        return static_cast<double>(rightly_suppressed) / (rightly_suppressed + wrongly_kept);
    }
};

struct Labels {
    bool agree = false;
    bool all_suppress = true;
    bool any_suppress = false;
};

Labels compare(std::string_view labels, Category category) {
    Labels result;
    while (!labels.empty()) {
        const std::size_t end = std::min(labels.find('|'), labels.size());
        const auto label = parse_category(labels.substr(0, end));
        EXPECT_TRUE(label.has_value()) << labels;
        const bool suppress = label && action_for(*label, true) == Action::kSuppress;
        result.agree = result.agree || label == category;
        result.all_suppress = result.all_suppress && suppress;
        result.any_suppress = result.any_suppress || suppress;
        labels.remove_prefix(std::min(end + 1, labels.size()));
    }
    return result;
}

void count(Figures& figures, const Classifier& classifier, const std::string& row) {
    const std::size_t first = row.find('\t');
    const std::size_t second = row.find('\t', first + 1);
    ASSERT_NE(first, std::string::npos) << row;
    const std::string reply = row.substr(0, first);
    const std::string source = second == std::string::npos ? "" : row.substr(second + 1);
    const Verdict verdict = classifier.classify_line(reply);
    Labels labels =
        compare(std::string_view(row).substr(first + 1, second - first - 1), verdict.category);
    if (parse_reply_line(reply).transient()) labels.all_suppress = labels.any_suppress = false;
    const bool suppressed = verdict.action == Action::kSuppress;
    ++figures.rows;
    figures.agreed += labels.agree;
    figures.by_source[source].first += labels.agree;
    ++figures.by_source[source].second;
    figures.rightly_suppressed += labels.all_suppress && suppressed;
    figures.wrongly_kept += labels.all_suppress && !suppressed;
    if (!labels.any_suppress && suppressed) {
        ++figures.wrongly_suppressed;
        figures.wrong_suppressions += "\n  " + reply;
    }
}

Figures measure(std::ifstream& file, const char* name) {
    const auto classifier = Classifier::with_default_rules();
    Figures figures;
    for (std::string row; std::getline(file, row);)
        if (!row.empty() && row[0] != '#') count(figures, *classifier, row);
    std::printf("%s: %d rows, agreement %.3f, suppression precision %.3f, recall %.3f\n", name,
                figures.rows, figures.agreement(), figures.precision(), figures.recall());
    for (const auto& [source, hits] : figures.by_source)
        if (hits.second >= 10)
            std::printf("  %s: %d of %d\n", source.c_str(), hits.first, hits.second);
    return figures;
}

TEST(ClassifierCorpus, TheLabelledCorpusIsUnderstood) {
    std::ifstream file(std::string(POSTHORN_SOURCE_DIR) + "/../shared/corpus/replies.tsv");
    if (!file) GTEST_SKIP() << "../shared/corpus/replies.tsv is not here";
    const Figures figures = measure(file, "corpus");
    EXPECT_GE(figures.rows, 500);
    EXPECT_GE(figures.agreement(), 0.90);
    EXPECT_GE(figures.precision(), 0.98) << figures.wrong_suppressions;
    EXPECT_GE(figures.recall(), 0.90);
}

TEST(ClassifierCorpus, DocumentedRepliesAreUnderstood) {
    std::ifstream file(std::string(POSTHORN_SOURCE_DIR) + "/tests/mail/replies_heldout.tsv");
    ASSERT_TRUE(file.good());
    const Figures figures = measure(file, "documented");
    EXPECT_GE(figures.rows, 150);
    EXPECT_GE(figures.agreement(), 0.90);
    EXPECT_GE(figures.precision(), 0.98) << figures.wrong_suppressions;
    EXPECT_GE(figures.recall(), 0.90);
}

}  // namespace
}  // namespace posthorn
