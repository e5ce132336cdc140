#include "engine/smtp/reply_parser.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/smtp/limits.h"

namespace posthorn {
namespace {

struct Row {
    std::string_view bytes;
    std::vector<Reply> replies;
    bool broken = false;
};

const std::vector<Row> kRows = {
    {"250 ok\r\n", {{250, {}, "ok"}}},
    {"250\r\n", {{250, {}, ""}}},
    {"250 \r\n", {{250, {}, ""}}},
    {"250-\r\n250\r\n", {{250, {}, "\n"}}},
    {"250 ok\n", {{250, {}, "ok"}}},
    {"250  two spaces\r\n", {{250, {}, " two spaces"}}},
    {"250 2.1.5 ok\r\n", {{250, EnhancedCode{2, 1, 5}, "ok"}}},
    {"250 2.1.5\r\n", {{250, EnhancedCode{2, 1, 5}, ""}}},
    {"550 2.1.5 ok\r\n", {{550, {}, "2.1.5 ok"}}},
    {"550-5.1.1 a\r\n550-5.1.1 b\r\n550 c\r\n", {{550, EnhancedCode{5, 1, 1}, "a\nb\nc"}}},
    {"550-a\r\n550 5.1.1 b\r\n", {{550, EnhancedCode{5, 1, 1}, "a\nb"}}},
    {"220 a\r\n354 b\r\n421 c\r\n", {{220, {}, "a"}, {354, {}, "b"}, {421, {}, "c"}}},
    {"571 odd but seen\r\n", {{571, {}, "odd but seen"}}},
    {"250 a\rb\r\n", {{250, {}, "a\rb"}}},
    {"\r\n", {}, true},
    {"\n", {}, true},
    {"25\r\n", {}, true},
    {"2500 ok\r\n", {}, true},
    {"250_ok\r\n", {}, true},
    {"150 early days\r\n", {}, true},
    {"650 no\r\n", {}, true},
    {"25a no\r\n", {}, true},
    {" 250 no\r\n", {}, true},
    {"HTTP/1.1 400 Bad Request\r\n", {}, true},
    {"250-a\r\n251 b\r\n", {}, true},
    {"250-a\r\nb\r\n", {}, true},
    {"250 ok\r\n\r\n", {{250, {}, "ok"}}, true},
};

void expect_row(const Row& row, std::size_t piece_size) {
    ReplyParser parser;
    std::vector<Reply> replies;
    auto state = ReplyParser::State::kIncomplete;
    for (std::size_t at = 0; at < row.bytes.size(); at += piece_size) {
        std::string_view piece = row.bytes.substr(at, piece_size);
        while (!piece.empty() && state != ReplyParser::State::kBroken) {
            state = parser.parse(piece);
            if (state == ReplyParser::State::kComplete) replies.push_back(parser.reply());
        }
    }
    EXPECT_EQ(replies, row.replies) << row.bytes;
    EXPECT_EQ(state == ReplyParser::State::kBroken, row.broken) << row.bytes;
    EXPECT_EQ(parser.complaint().empty(), !row.broken);
}

TEST(ReplyParser, ReadsEveryRowInPiecesOfAnySize) {
    for (const Row& row : kRows)
        for (std::size_t piece_size = 1; piece_size <= row.bytes.size(); ++piece_size)
            expect_row(row, piece_size);
}

ReplyParser::State parse_all(const std::string& bytes) {
    ReplyParser parser;
    std::string_view rest = bytes;
    return parser.parse(rest);
}

TEST(ReplyParser, BoundsTheLineAndTheReply) {
    const std::string longest = "250 " + std::string(kReplyLineBytesMax - 6, 'x') + "\r\n";
    EXPECT_EQ(parse_all(longest), ReplyParser::State::kComplete);
    EXPECT_EQ(parse_all("250 x" + longest.substr(4)), ReplyParser::State::kBroken);
    EXPECT_EQ(parse_all(std::string(kReplyLineBytesMax + 1, '2')), ReplyParser::State::kBroken);

    std::string many;
    for (std::size_t i = 0; i + 1 < kReplyLinesMax; ++i) many += "250-x\r\n";
    EXPECT_EQ(parse_all(many + "250 x\r\n"), ReplyParser::State::kComplete);
    EXPECT_EQ(parse_all(many + "250-x\r\n250 x\r\n"), ReplyParser::State::kBroken);

    std::string large;
    for (std::size_t i = 0; i < 40; ++i)
        large += "250-" + std::string(kReplyLineBytesMax - 6, 'x') + "\r\n";
    EXPECT_EQ(parse_all(large + "250 x\r\n"), ReplyParser::State::kBroken);
}

TEST(ReplyParser, StaysBroken) {
    ReplyParser parser;
    std::string_view bytes = "hello\r\n250 ok\r\n";
    EXPECT_EQ(parser.parse(bytes), ReplyParser::State::kBroken);
    EXPECT_EQ(parser.parse(bytes), ReplyParser::State::kBroken);
    bytes = "250 ok\r\n";
    EXPECT_EQ(parser.parse(bytes), ReplyParser::State::kBroken);
    EXPECT_EQ(parser.complaint(), "reply line does not start with a code");
}

TEST(ReplyParser, KnowsWhenItIsBetweenReplies) {
    ReplyParser parser;
    EXPECT_TRUE(parser.between_replies());
    for (const std::string_view piece : {"2", "50-a\r\n", "250", " b\r"}) {
        std::string_view bytes = piece;
        EXPECT_EQ(parser.parse(bytes), ReplyParser::State::kIncomplete);
        EXPECT_FALSE(parser.between_replies());
    }
    std::string_view bytes = "\n";
    EXPECT_EQ(parser.parse(bytes), ReplyParser::State::kComplete);
    EXPECT_TRUE(parser.between_replies());
}

}  // namespace
}  // namespace posthorn
