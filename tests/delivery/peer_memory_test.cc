// What is remembered of mail hosts, for how long, and that it outlives the process.
#include "engine/delivery/peer_memory.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

using std::chrono::hours;

constexpr WallTime kNow{hours(490'000)};

TEST(PeerMemory, AHostIsServedARungSlowerThanTheOneItMishandled) {
    PeerMemory memory;
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kChunkingAhead);
    memory.mishandled("mx.test", Rung::kChunkingAhead, kNow);
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kChunking);
    memory.mishandled("mx.test", Rung::kChunkingAhead, kNow);  // of a session opened before
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kChunking);
    memory.mishandled("mx.test", Rung::kLockstep, kNow);
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kLockstep);
    EXPECT_EQ(memory.rung_max("other.test", kNow), Rung::kChunkingAhead);
    EXPECT_EQ(memory.rung_max("mx.test", kNow + hours(7 * 24)), Rung::kChunkingAhead);
}

TEST(PeerMemory, ThreeConnectionsBrokenInARowAreAsGoodAsAMishandledRung) {
    PeerMemory memory;
    EXPECT_FALSE(memory.suspected("mx.test", Rung::kChunking, kNow));
    EXPECT_FALSE(memory.suspected("mx.test", Rung::kChunking, kNow));
    memory.proved("mx.test");
    EXPECT_FALSE(memory.suspected("mx.test", Rung::kChunking, kNow));
    EXPECT_FALSE(memory.suspected("mx.test", Rung::kChunking, kNow));
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kChunkingAhead);
    EXPECT_TRUE(memory.suspected("mx.test", Rung::kChunking, kNow));
    EXPECT_EQ(memory.rung_max("mx.test", kNow), Rung::kNextBehindDot);
    for (int i = 0; i < 9; ++i)
        EXPECT_FALSE(memory.suspected("mx.test", Rung::kLockstep, kNow)) << "nothing is slower";
}

TEST(PeerMemory, WhatIsRecordedIsKnownToTheNextProcessUntilItExpires) {
    PeerMemory memory;
    memory.mishandled("mx.test", Rung::kPipelining, kNow);
    const PutState recorded = memory.tls_broke("mx.test", kNow);
    EXPECT_EQ(recorded.kind, kPeerKind);
    EXPECT_EQ(recorded.key, "mx.test");
    PeerMemory next;
    EXPECT_TRUE(next.restore(recorded.key, *recorded.value, kNow));
    EXPECT_TRUE(next.tls_broken("mx.test", kNow + hours(23)));
    EXPECT_FALSE(next.tls_broken("mx.test", kNow + hours(24)));
    EXPECT_EQ(next.rung_max("mx.test", kNow), Rung::kLockstep);
    PeerMemory later;
    EXPECT_FALSE(later.restore(recorded.key, *recorded.value, kNow + hours(8 * 24)));
    EXPECT_EQ(later.size(), 0u);
}

TEST(PeerMemory, WhatCannotBeReadIsForgotten) {
    PeerMemory memory;
    const std::string good = *memory.tls_broke("mx.test", kNow).value;
    PeerMemory next;
    EXPECT_FALSE(next.restore("mx.test", "", kNow));
    EXPECT_FALSE(next.restore("mx.test", good + "x", kNow));
    EXPECT_FALSE(next.restore("mx.test", good.substr(1), kNow));
    EXPECT_FALSE(next.restore("mx.test", std::string("\1\x63") + good.substr(2), kNow));
    EXPECT_EQ(next.size(), 0u);
}

}  // namespace
}  // namespace posthorn
