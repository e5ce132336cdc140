// Text for terminals and spreadsheets: nothing that came by mail may drive either.
#include <gtest/gtest.h>

#include "tools/posthorn/csv.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {
namespace {

std::string csv(std::initializer_list<std::string_view> cells) {
    std::string out;
    append_csv_row(out, std::span(cells.begin(), cells.size()));
    return out;
}

TEST(PrintableText, ShowsControlCharactersAndBrokenUtf8AsEscapes) {
    EXPECT_EQ(printable("550 no\x1b[2J\r\nsuch"), "550 no\\x1B[2J\\x0D\\x0Asuch");
    EXPECT_EQ(printable("caf\xC3\xA9 \xE2\x82\xAC"), "caf\xC3\xA9 \xE2\x82\xAC");
    EXPECT_EQ(printable("\xFFx\xC3"), "\\xFFx\\xC3");
    EXPECT_EQ(printable("\xC2\x9B"), "\\x9B");            // CSI in C1
    EXPECT_EQ(printable("a\xE2\x80\xAEz"), "a\\u202Ez");  // right-to-left override
    EXPECT_EQ(printable("\xC0\xAF\xED\xA0\x80"), "\\xC0\\xAF\\xED\\xA0\\x80");
}

TEST(PrintableText, ColumnsAreCountedInCharactersAsTerminalsShowThem) {
    EXPECT_EQ(columns_of("caf\xC3\xA9"), 4u);
    EXPECT_EQ(columns_of("\xE6\x97\xA5\xE6\x9C\xAC"), 4u);  // two wide characters
    EXPECT_EQ(columns_of("e\xCC\x81"), 1u);                 // e and a combining accent
    EXPECT_EQ(fitted("abcdef", 4), "abc…");
    EXPECT_EQ(fitted("ab", 4), "ab  ");
    EXPECT_EQ(fitted_right("ab", 4), "  ab");
    EXPECT_EQ(columns_of(fitted("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4)), 4u);
}

TEST(PrintableText, SharesAreNeverRoundedToAllOrNothing) {
    EXPECT_EQ(percent(0, 10), "0 %");
    EXPECT_EQ(percent(1, 1'000'000), "<0.1 %");
    EXPECT_EQ(percent(999'999, 1'000'000), ">99.9 %");
    EXPECT_EQ(percent(10, 10), "100 %");
    EXPECT_EQ(percent(1, 3), "33.3 %");
    EXPECT_EQ(percent(1, 0), "0 %");
}

TEST(PrintableText, DurationsAreInTheUnitThatMatters) {
    EXPECT_EQ(duration_words(3.26), "3.3 s");
    EXPECT_EQ(duration_words(59.2), "59 s");
    EXPECT_EQ(duration_words(125), "2m 05s");
    EXPECT_EQ(duration_words(3720), "1h 02m");
    EXPECT_EQ(duration_words(90'000), "1d 01h");
}

TEST(TextTable, AlignsColumnsAndEscapesCells) {
    TextTable table({{"domain", TextTable::Align::kLeft}, {"sent", TextTable::Align::kRight}});
    table.row({"a.test", "1,000"});
    table.row({"\x1b", "5"});
    EXPECT_EQ(table.text(), "domain   sent\na.test  1,000\n\\x1B        5\n");
}

TEST(Csv, QuotesWhatRfc4180SaysMustBe) {
    EXPECT_EQ(csv({"a", "b c", ""}), "a,b c,\r\n");
    EXPECT_EQ(csv({"a,b", "say \"hi\"", "two\nlines"}),
              "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
}

TEST(Csv, ANulGoesIntoNoCell) {
    using namespace std::string_view_literals;
    EXPECT_EQ(csv({"a\0b"sv}), "\"ab\"\r\n");
    EXPECT_EQ(csv({"a,\0b"sv}), "\"a,b\"\r\n");
}

TEST(Csv, CellsThatASpreadsheetWouldRunAreDefused) {
    EXPECT_EQ(csv({"=cmd|' /C calc'!A0"}), "\"'=cmd|' /C calc'!A0\"\r\n");
    EXPECT_EQ(csv({"+1(555)", "@SUM(A1)", "-2+3"}), "\"'+1(555)\",\"'@SUM(A1)\",\"'-2+3\"\r\n");
    EXPECT_EQ(csv({"\t=1"}), "\"'\t=1\"\r\n");
    EXPECT_EQ(csv({"-5", "-1.5"}), "-5,-1.5\r\n");
}

}  // namespace
}  // namespace posthorn
