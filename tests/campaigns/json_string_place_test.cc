#include "campaigns/json_string_place.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(JsonStringPlace, CountsWhatTheStringMeansNotHowItIsWritten) {
    const std::string_view json = R"({"a": "x\ny\u00e9\ud83d\ude00zäq"})";
    const auto at = [&](std::uint32_t line, std::uint32_t column) {
        return json.substr(place_in_json_string(json, 6, line, column));
    };
    EXPECT_TRUE(at(1, 1).starts_with("x"));
    EXPECT_TRUE(at(1, 2).starts_with("\\n"));
    EXPECT_TRUE(at(2, 1).starts_with("y"));
    EXPECT_TRUE(at(2, 2).starts_with("\\u00e9"));
    EXPECT_TRUE(at(2, 3).starts_with("\\ud83d\\ude00"));
    EXPECT_TRUE(at(2, 4).starts_with("z"));
    EXPECT_TRUE(at(2, 6).starts_with("q"));
    EXPECT_EQ(at(7, 7), "\"}");
    EXPECT_EQ(place_in_json_string(json, 0, 1, 1), 0u);
    EXPECT_EQ(place_in_json_string("\"\\", 0, 2, 1), 2u);
}

}  // namespace
}  // namespace posthorn
