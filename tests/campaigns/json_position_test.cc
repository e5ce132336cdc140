#include "campaigns/json_position.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/base/random.h"

namespace posthorn {
namespace {

std::string place(std::string_view text, std::string_view pointer, bool key = false) {
    const JsonPlace found = JsonPositions::scan(text).place_of(pointer);
    const LineColumn at = line_column(text, key ? found.key : found.value);
    return std::to_string(at.line) + ":" + std::to_string(at.column);
}

TEST(JsonPositionTest, ValuesAndKeysAreFoundByPointer) {
    const std::string_view text = "{ // head\n  \"a\": [1, {\"b/c~\": /* x */ 2}],\r\n\"d\":3}";
    EXPECT_EQ(place(text, ""), "1:1");
    EXPECT_EQ(place(text, "/a"), "2:8");
    EXPECT_EQ(place(text, "/a", true), "2:3");
    EXPECT_EQ(place(text, "/a/1"), "2:12");
    EXPECT_EQ(place(text, "/a/1/b~1c~0"), "2:29");
    EXPECT_EQ(place(text, "/d"), "3:5");
}

TEST(JsonPositionTest, WhatIsNotThereStandsWhereItWouldBe) {
    EXPECT_EQ(place("{\n\"a\": {\"b\": 1}}", "/a/c/d"), "2:6");
}

TEST(JsonPositionTest, ColumnsCountCharactersAndNotBytes) {
    EXPECT_EQ(place("\xEF\xBB\xBF{\"\xC3\xA4\xE2\x82\xAC\": 1}", "/\xC3\xA4\xE2\x82\xAC"), "1:8");
}

TEST(JsonPositionTest, KeysGivenTwiceAreNoted) {
    const JsonPositions positions = JsonPositions::scan("{\"a\":1,\"b\":{\"a\":1},\"\\u0061\":2}");
    ASSERT_EQ(positions.duplicate_keys().size(), 1u);
    EXPECT_EQ(positions.duplicate_keys()[0].offset, 19u);
}

TEST(JsonPositionTest, CommentsEndWithTheirLineAndHoldNoNul) {
    EXPECT_FALSE(JsonPositions::scan("[ // a\r1]").syntax_fault());
    EXPECT_TRUE(JsonPositions::scan(std::string_view("[ // \0\n1]", 10)).syntax_fault());
    EXPECT_TRUE(JsonPositions::scan(std::string_view("[ /* \0 */1]", 12)).syntax_fault());
}

TEST(JsonPositionTest, NumbersThatNothingCanHoldAreFaults) {
    for (const char* held : {"1e308", "-1e308", "1e-999999999", "99999999999999999999999"})
        EXPECT_FALSE(JsonPositions::scan(held).syntax_fault()) << held;
    const JsonPositions scanned = JsonPositions::scan("{\n  \"a\": 622e44444 }");
    ASSERT_TRUE(scanned.syntax_fault());
    EXPECT_EQ(scanned.syntax_fault()->message, "this number is larger than any that can be held");
}

TEST(JsonPositionTest, LongKeysDoNotMultiply) {
    std::string text = "{\"" + std::string(100'000, 'k') + "\":[";
    for (int i = 0; i < 2000; ++i) text += "1,";
    text += "1]}";
    ASSERT_TRUE(JsonPositions::scan(text).syntax_fault());
    EXPECT_EQ(JsonPositions::scan(text).syntax_fault()->message,
              "the keys of the file are too long");
}

// The scanner accepts exactly what the library accepts (BOM and depth apart).
TEST(JsonPositionTest, ItAgreesWithTheLibraryAboutWhatIsJson) {
    const std::string seed =
        "{\"a\":[1,-2.5e+3,true,null,\"x\\n\\u00e9\\ud83d\\ude00\xC3\xA9\"],/*c*/\"b\":{}} //e\n";
    Random random(7);
    const std::string_view letters = "{}[],:\"\\/u0 19.-e*\nntf\xC3\xA9";
    std::size_t accepted = 0;
    for (int round = 0; round < 5'000; ++round) {
        std::string text = seed;
        for (std::uint64_t edits = random.below(3) + (round % 2); edits > 0; --edits) {
            const std::size_t at = random.below(text.size());
            if (random.chance(0.4))
                text.erase(at, 1);
            else
                text[at] = letters[random.below(letters.size())];
        }
        const bool library = nlohmann::json::accept(text, true);
        const bool ours = !JsonPositions::scan(text).syntax_fault();
        EXPECT_EQ(ours, library) << text;
        accepted += library;
    }
    EXPECT_GT(accepted, 250u);
}

}  // namespace
}  // namespace posthorn
