#include "campaigns/csv_reader.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvReaderTest : public ListFixture {};

TEST_F(CsvReaderTest, ColumnsBesideAddressAndNameBecomeVariables) {
    EXPECT_THAT(rows(csv("email,first_name,Name,city\nann@x.test,Ann,Ann Lee,Graz\n")),
                ElementsAre("ann@x.test|Ann Lee|Ann|Graz"));
    EXPECT_THAT(columns_, ElementsAre("first_name", "city"));
}

TEST_F(CsvReaderTest, TheAddressIsFoundInAnyCase) {
    EXPECT_THAT(rows(csv("City,E-MAIL,EMail\nGraz,x,ann@x.test\n")),
                ElementsAre("ann@x.test||Graz|x"));
}

TEST_F(CsvReaderTest, ColumnsAreMappedByName) {
    RecipientList list = csv("E-mail,Full name\nann@x.test,Ann Lee\n");
    list.email_column = "E-mail";
    list.name_column = "full NAME";
    EXPECT_THAT(rows(list), ElementsAre("ann@x.test|Ann Lee"));
}

TEST_F(CsvReaderTest, AMissingColumnIsAFaultThatNamesTheOnesThereAre) {
    EXPECT_THAT(rows(csv("mail;city\na@x.test;b\n")),
                ElementsAre("list_columns 1: the list has no column `email`"));
    RecipientList list = csv("email,city\n");
    list.name_column = "who";
    EXPECT_THAT(rows(list), ElementsAre("list_columns 1: the list has no column `who`"));
    EXPECT_THAT(open_list(csv("mail;city\n")).fault.hint, HasSubstr("mail, city"));
}

TEST_F(CsvReaderTest, TwoColumnsOfOneNameAreAFault) {
    EXPECT_THAT(rows(csv("email,city,city\n")),
                ElementsAre("list_columns 1: the list has two columns `city`"));
}

TEST_F(CsvReaderTest, AnEmptyListIsAFault) {
    EXPECT_THAT(rows(csv("")), ElementsAre("list_columns 1: the list is empty"));
    EXPECT_THAT(rows(csv("\n\r\n")), ElementsAre("list_columns 1: the list is empty"));
    EXPECT_THAT(rows(csv("email\n")), ElementsAre());
}

TEST_F(CsvReaderTest, TheDelimiterIsFoundOutOutsideQuotes) {
    EXPECT_THAT(rows(csv("email;\"a,b,c\"\nx@x.test;1\n")), ElementsAre("x@x.test||1"));
    EXPECT_THAT(rows(csv("email\ta\nx@x.test\t1,2\n")), ElementsAre("x@x.test||1,2"));
    EXPECT_THAT(rows(csv("email|a\nx@x.test|1\n")), ElementsAre("x@x.test||1"));
    RecipientList forced = csv("email,a;b\nx@x.test,1;2\n");
    forced.delimiter = ',';
    EXPECT_THAT(rows(forced), ElementsAre("x@x.test||1;2"));
}

TEST_F(CsvReaderTest, QuotesHoldDelimitersQuotesAndLineBreaks) {
    EXPECT_THAT(rows(csv("email,a,b\r\n"
                         "x@x.test,\"one, two\",\"say \"\"hi\"\"\"\r\n"
                         "\"y@x.test\",\"two\r\nlines\",\"\"\r\n"
                         "z@x.test,\"\"\"\",plain \"inside\"")),
                ElementsAre("x@x.test||one, two|say \"hi\"", "y@x.test||two\r\nlines|",
                            "z@x.test||\"|plain \"inside\""));
}

TEST_F(CsvReaderTest, LinesAreCountedThroughQuotedBreaksAndBlankLines) {
    OpenedList list = open_list(csv("email,a\n\nx@x.test,\"1\n2\n3\"\ny@x.test,\n"));
    ListRow row;
    ASSERT_EQ(list.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(row.number, 1u);
    EXPECT_EQ(row.line, 3u);
    ASSERT_EQ(list.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(row.number, 2u);
    EXPECT_EQ(row.line, 6u);
}

TEST_F(CsvReaderTest, AQuoteThatIsNotClosedEndsTheListAtItsRow) {
    EXPECT_THAT(
        rows(csv("email,a\nx@x.test,1\ny@x.test,\"2\nz@x.test,3\n")),
        ElementsAre("x@x.test||1", "list_syntax 3: a quote opened in this row is not closed"));
    std::string big = "email,a\nx@x.test,\"";
    big.append(3 * kMaxListRowBytes, 'x');
    EXPECT_THAT(rows(csv(big)),
                ElementsAre("list_syntax 2: a quote opened in this row is not closed"));
    big[big.find('"')] = 'x';
    EXPECT_THAT(rows(csv(big)), ElementsAre("list_syntax 2: a row is longer than 1 MiB"));
}

TEST_F(CsvReaderTest, ShortRowsLackVariablesAndLongOnesAreFaults) {
    EXPECT_THAT(rows(csv("email,a,b\nx@x.test,1\ny@x.test,1,2,\nz@x.test,1,2,3\n")),
                ElementsAre("x@x.test||1|-", "y@x.test||1|2", "!more fields than the header has"));
}

TEST_F(CsvReaderTest, TextBehindAClosingQuoteIsAFaultOfItsRowAlone) {
    EXPECT_THAT(rows(csv("email,a\nx@x.test,\"1\"2\ny@x.test,\"3\" \n")),
                ElementsAre("!text after a closing quote", "y@x.test||3"));
}

TEST_F(CsvReaderTest, JsonColumnsHoldJson) {
    EXPECT_THAT(rows(csv("email,items:json\nx@x.test,\"[1,{\"\"a\"\":2}]\"\ny@x.test,[1\n"
                         "z@x.test,\n")),
                ElementsAre("x@x.test||json:[1,{\"a\":2}]", "!a JSON column does not hold JSON",
                            "z@x.test||-"));
    EXPECT_THAT(columns_, ElementsAre("items"));
}

TEST_F(CsvReaderTest, AByteOrderMarkIsNoPartOfTheHeader) {
    EXPECT_THAT(rows(csv("\xEF\xBB\xBF"
                         "email,a\nx@x.test,1\n")),
                ElementsAre("x@x.test||1"));
    EXPECT_THAT(rows(csv("\xFF\xFE"
                         "e\0m")),
                ElementsAre("list_syntax 1: the list is in UTF-16"));
}

TEST_F(CsvReaderTest, ARowThatIsNotUtf8IsAFaultOfItsOwn) {
    EXPECT_THAT(rows(csv("email,a\nx@x.test,J\xF6rg\ny@x.test,J\xC3\xB6rg\n")),
                ElementsAre("!not UTF-8", "y@x.test||J\xC3\xB6rg"));
}

// Rows of every length, so that block ends fall everywhere: into fields, quotes and line ends.
TEST_F(CsvReaderTest, BlocksEndAnywhereWithoutATrace) {
    std::string bytes = "email,a,b\r\n";
    std::vector<std::string> expected;
    for (std::size_t i = 0; bytes.size() < 5 * kListBlockBytes / 2; ++i) {
        const std::string email = "user" + std::to_string(i) + "@x.test";
        const std::string filler(i % 997, 'f');
        if (i % 3 == 0) {
            bytes += email + "," + filler + ",\"q\"\"" + filler + "\n\"\r\n";
            expected.push_back(email + "||" + filler + "|q\"" + filler + "\n");
        } else {
            bytes += email + "," + filler + ",x\r\n";
            expected.push_back(email + "||" + filler + "|x");
        }
    }
    EXPECT_EQ(rows(csv(bytes)), expected);
}

TEST_F(CsvReaderTest, GzippedListsReadTheSame) {
    RecipientList list;
    list.file = path("list.csv.gz");
    list.gzip = true;
    gzFile out = gzopen(list.file.c_str(), "wb");
    const std::string bytes = "email,a\nx@x.test,1\n";
    gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(out);
    EXPECT_THAT(rows(list), ElementsAre("x@x.test||1"));
    const std::string whole = contents(list.file);
    file("list.csv.gz", whole.substr(0, whole.size() - 9));
    EXPECT_THAT(rows(list).back(), HasSubstr("is not a whole gzip file"));
}

TEST_F(CsvReaderTest, ReadingGoesOnAtAPosition) {
    const RecipientList list = csv("email,a\nx@x.test,1\ny@x.test,2\nz@x.test,3\n");
    OpenedList first = open_list(list);
    ListRow row;
    first.reader->next(row);
    first.reader->next(row);
    const ListPosition position = first.reader->position();
    EXPECT_EQ(position.offset, 30u);

    OpenedList second = open_list(list);
    ASSERT_FALSE(second.reader->resume(position));
    ASSERT_EQ(second.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(shown(row), "z@x.test||3");
    EXPECT_EQ(row.number, 3u);
    EXPECT_EQ(row.line, 4u);
    EXPECT_EQ(second.reader->next(row), ListReader::Step::kEnd);
    EXPECT_EQ(first.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(first.reader->position(), second.reader->position());
}

TEST_F(CsvReaderTest, AChangedListIsRefused) {
    OpenedList first = open_list(csv("email,a\nx@x.test,1\ny@x.test,2\n"));
    ListRow row;
    first.reader->next(row);
    ListPosition position = first.reader->position();

    OpenedList longer = open_list(csv("email,a\nx@x.test,1\ny@x.test,22\n"));
    auto fault = longer.reader->resume(position);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, CampaignErrorCode::kCampaignChanged);
    EXPECT_THAT(fault->message, HasSubstr("its size"));

    OpenedList edited = open_list(csv("email,a\nX@x.test,1\ny@x.test,2\n"));
    position.identity.modified_micros = edited.reader->position().identity.modified_micros;
    fault = edited.reader->resume(position);
    ASSERT_TRUE(fault);
    EXPECT_THAT(fault->message, HasSubstr("the part that was read"));
}

TEST_F(CsvReaderTest, AListOfExclusionsNeedsNoHeader) {
    ListRow row;
    OpenedList bare = open_exclusion_list(file("out.txt", "ann@x.test\nbob@x.test\n"));
    ASSERT_EQ(bare.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(row.email, "ann@x.test");
    OpenedList titled = open_exclusion_list(file("out.csv", "id,Email\n1,ann@x.test\n"));
    ASSERT_EQ(titled.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(row.email, "ann@x.test");
}

TEST_F(CsvReaderTest, TwoColumnsThatHoldTheAddressAreAFault) {
    EXPECT_EQ(rows(csv("email,a,email\nann@x.test,1,bob@x.test\n")),
              (std::vector<std::string>{"list_columns 1: the list has two columns `email`"}));
    EXPECT_EQ(rows(csv("email,name,name\nann@x.test,Ann,Bob\n")),
              (std::vector<std::string>{"list_columns 1: the list has two columns `name`"}));
    // The one that is written as it is named counts, the other is a variable.
    EXPECT_EQ(rows(csv("Email,email\nann@x.test,bob@x.test\n")),
              (std::vector<std::string>{"bob@x.test||ann@x.test"}));
}

}  // namespace
}  // namespace posthorn
