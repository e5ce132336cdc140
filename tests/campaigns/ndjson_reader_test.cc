#include "campaigns/ndjson_reader.h"

#include <gmock/gmock.h>

#include "campaigns/ndjson_scan.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

using ::testing::ElementsAre;

class NdjsonReaderTest : public ListFixture {};

TEST_F(NdjsonReaderTest, KeysBecomeColumnsAsTheyAreMet) {
    EXPECT_THAT(rows(ndjson("{\"email\":\"a@x.test\",\"name\":\"Ann\",\"city\":\"Graz\"}\n"
                            "\n"
                            "{\"plan\":\"pro\",\"email\":\"b@x.test\"}\n"
                            "{\"email\":\"c@x.test\",\"plan\":\"free\",\"city\":\"Wien\"}")),
                ElementsAre("a@x.test|Ann|Graz", "b@x.test||-|pro", "c@x.test||Wien|free"));
    EXPECT_THAT(columns_, ElementsAre("city", "plan"));
}

TEST_F(NdjsonReaderTest, VariablesMayStandInAnObjectOfTheirOwn) {
    EXPECT_THAT(
        rows(ndjson("{\"vars\":{\"a\":1,\"b\":[true,null]},\"email\":\"a@x.test\"}\n"
                    "{\"email\":\"b@x.test\",\"vars\":{}}\n"
                    "{\"email\":\"c@x.test\",\"vars\":\"text\"}\n")),
        ElementsAre("a@x.test||json:1|json:[true,null]", "b@x.test||-|-", "c@x.test||-|-|text"));
}

TEST_F(NdjsonReaderTest, EscapesAreDecodedAndNullIsNoValue) {
    EXPECT_THAT(
        rows(ndjson("{\"email\":\"a\\u0040x.test\",\"n\\u0061me\":\"\\\"\\ud83d\\ude00\\n\","
                    "\"v\":null,\"w\":\"\\\\\"}\n")),
        ElementsAre("a@x.test|\"\xF0\x9F\x98\x80\n|-|\\"));
}

TEST_F(NdjsonReaderTest, WhatIsNotAnObjectIsAFaultOfItsRowAlone) {
    EXPECT_THAT(rows(ndjson("[1]\n{\"email\":\"a@x.test\"\n{\"email\":\"a@x.test\"} x\n"
                            "{\"email\":\"a@x.test\",\"a\":01}\n{\"email\":7}\n"
                            "{\"email\":\"a@x.test\",\"a\":1,\"a\":2}\n"
                            "{\"email\":\"a@x.test\",\"a\":\"\\ud800\"}\n"
                            "{\"email\":\"a@x.test\",\"a\":\"\xFF\"}\n"
                            "{\"email\":\"b@x.test\"}\n")),
                ElementsAre("!not a JSON object", "!not a JSON object", "!not a JSON object",
                            "!not a JSON object", "!the address or name is not a string",
                            "!a key is given twice", "!half of a surrogate pair stands alone",
                            "!not UTF-8", "b@x.test||-"));
}

TEST_F(NdjsonReaderTest, NestingIsBounded) {
    const std::string deep(kMaxNdjsonDepth + 1, '[');
    EXPECT_THAT(rows(ndjson("{\"email\":\"a@x.test\",\"a\":" + deep + "}\n")),
                ElementsAre("!not a JSON object"));
}

TEST_F(NdjsonReaderTest, ColumnsAreBounded) {
    std::string bytes = "{\"email\":\"a@x.test\"";
    for (std::size_t i = 0; i <= kMaxListColumns; ++i) bytes += ",\"k" + std::to_string(i) + "\":1";
    EXPECT_THAT(rows(ndjson(bytes + "}\n")), ElementsAre("!the list has over 1000 different keys"));
}

TEST_F(NdjsonReaderTest, ColumnsSurviveAResumption) {
    const RecipientList list = ndjson(
        "{\"email\":\"a@x.test\",\"b\":1,\"a\":2}\n{\"email\":\"b@x.test\",\"a\":3,\"c\":4}\n");
    OpenedList first = open_list(list);
    ListRow row;
    first.reader->next(row);
    const ListPosition position = first.reader->position();
    OpenedList second = open_list(list);
    ASSERT_FALSE(second.reader->resume(position));
    ASSERT_EQ(second.reader->next(row), ListReader::Step::kRow);
    EXPECT_EQ(shown(row), "b@x.test||-|json:3|json:4");
    EXPECT_THAT(second.reader->columns(), ElementsAre("b", "a", "c"));
}

}  // namespace
}  // namespace posthorn
