#include "engine/base/bytes.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace posthorn {
namespace {

TEST(Bytes, WhatIsPutIsRead) {
    std::string out;
    put_u8(out, 7);
    put_u32(out, 0xdeadbeef);
    put_u64(out, 1);
    put_varint(out, UINT64_MAX);
    put_string(out, "abc");
    out += "rest|";
    ByteReader in(out);
    EXPECT_EQ(in.u8(), 7);
    EXPECT_EQ(in.u32(), 0xdeadbeefu);
    EXPECT_EQ(in.u64(), 1u);
    EXPECT_EQ(in.varint(), UINT64_MAX);
    EXPECT_EQ(in.string(), "abc");
    EXPECT_EQ(in.until('|'), "rest");
    EXPECT_TRUE(in.at_end());
}

TEST(Bytes, AReaderStopsAtTheFirstShortRead) {
    ByteReader in(
        "\x05"
        "ab");
    EXPECT_EQ(in.string(), "");
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u8(), 0);
    ByteReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    EXPECT_EQ(endless.varint(), 0u);
    EXPECT_FALSE(endless.ok());
}

TEST(Bytes, AQueueGivesBackWhatItTook) {
    Random random(1);
    ByteQueue queue;
    std::string expected;
    std::string seen;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece(random.below(50), static_cast<char>('a' + i % 26));
        queue.append(piece);
        expected += piece;
        const std::size_t count = random.below(queue.size() + 1);
        seen += queue.view().substr(0, count);
        queue.consume(count);
    }
    seen += queue.view();
    EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace posthorn
