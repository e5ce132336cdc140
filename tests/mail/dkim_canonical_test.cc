#include "engine/mail/dkim_canonical.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/mail/dkim_body_hash.h"
#include "engine/mail/encodings.h"
#include "tests/mail/dkim_verifier.h"

namespace posthorn {
namespace {

using testing_dkim::relaxed_body_the_slow_way;
using testing_dkim::relaxed_header_the_slow_way;

std::string relaxed_body(std::string_view body) {
    std::string out;
    RelaxedBody canonical;
    canonical.append(out, body);
    canonical.close(out);
    return out;
}

std::string base64_of(const Sha256& hash) {
    std::string out;
    append_base64(out, {reinterpret_cast<const char*>(hash.data()), hash.size()});
    return out;
}

std::string hash_of(std::string_view body) {
    DkimBodyHash bodies;
    Sha256 hash{};
    EXPECT_TRUE(bodies.hash(body, 0, hash));
    return base64_of(hash);
}

// Lines of all the blanks that matter, some long enough for whole words of them.
std::string random_body(Random& random) {
    std::string out;
    const std::uint64_t pieces = random.below(40);
    for (std::uint64_t i = 0; i < pieces; ++i) {
        constexpr std::string_view kPieces[] = {
            " ",    "\t",    "  ",        "\r\n",  "\r\n\r\n",
            "word", "a b",   "x  y",      "\t \t", "longer words here ",
            "=20",  " \r\n", "\r\n \r\n", "q"};
        out += kPieces[random.below(std::size(kPieces))];
    }
    return out;
}

TEST(DkimCanonicalTest, HeadersAreUnfoldedAndSqueezed) {
    const struct {
        std::string_view field, wanted;
    } table[] = {
        {"A: X\r\n", "a:X"},  // RFC 6376 section 3.4.5
        {"B : Y\t\r\n\tZ  \r\n", "b:Y Z"},
        {"Subject:no blank", "subject:no blank"},
        {"X-Empty:   \r\n", "x-empty:"},
        {"To:\r\n \"Ann\"  <ann@b.test>", "to:\"Ann\" <ann@b.test>"},
        {"T: a\t b\r\n\t c: d", "t:a b c: d"},
    };
    for (const auto& row : table) {
        std::string out;
        append_relaxed_header(out, row.field);
        EXPECT_EQ(out, row.wanted);
        EXPECT_EQ(relaxed_header_the_slow_way(row.field), row.wanted);
    }
}

TEST(DkimCanonicalTest, BodiesLoseBlanksAtLineEndsAndEmptyLinesAtTheEnd) {
    const struct {
        std::string_view body, wanted;
    } table[] = {
        {" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"},  // RFC 6376 section 3.4.5
        {"", ""},
        {"\r\n\r\n", ""},
        {" \t\r\n", ""},
        {"\r\na\r\n", "\r\na\r\n"},
        {"no line end", "no line end\r\n"},
        {"a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
        {"\t\tindented  twice\r\n", " indented twice\r\n"},
    };
    for (const auto& row : table) EXPECT_EQ(relaxed_body(row.body), row.wanted);
}

TEST(DkimCanonicalTest, RandomBodiesAgreeWithTheSlowWayWhereverTheyAreCut) {
    Random random(6376);
    for (int i = 0; i < 3000; ++i) {
        const std::string body = random_body(random);
        const std::string wanted = relaxed_body_the_slow_way(body);
        EXPECT_EQ(relaxed_body(body), wanted) << body;
        std::string out;
        RelaxedBody canonical;
        std::string_view rest = body;
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n', random.below(rest.size()));
            const std::string_view lines = rest.substr(0, end == rest.npos ? end : end + 1);
            canonical.append(out, lines);
            rest.remove_prefix(lines.size());
        }
        canonical.close(out);
        EXPECT_EQ(out, wanted) << body;
    }
}

TEST(DkimBodyHashTest, KnownBodiesHaveTheirKnownHashes) {
    EXPECT_EQ(hash_of("\r\n\r\n"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");  // of nothing
    EXPECT_EQ(hash_of("Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"),
              "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");  // RFC 8463 appendix A
}

TEST(DkimBodyHashTest, ASharedBodyIsHashedOnce) {
    DkimBodyHash bodies;
    const std::string body = std::string(5000, 'x') + " \r\n\r\n";
    Sha256 first{}, again{};
    ASSERT_TRUE(bodies.hash(body, body.size(), first));
    ASSERT_TRUE(bodies.hash(body, body.size(), again));
    EXPECT_EQ(first, again);
    EXPECT_EQ(bodies.bytes_hashed(), body.size());
}

TEST(DkimBodyHashTest, ASharedBeginningIsHashedOnce) {
    DkimBodyHash bodies;
    const std::string beginning = std::string(5000, 'x') + "\r\n\r\n";
    std::size_t endings = 0;
    for (const std::string ending : {"Dear Ann\r\n", "Dear Bob  \r\n\r\n", "\r\n", "Zoe"}) {
        Sha256 hash{};
        ASSERT_TRUE(bodies.hash(beginning + ending, beginning.size(), hash));
        EXPECT_EQ(base64_of(hash), hash_of(beginning + ending));
        endings += ending.size();
    }
    EXPECT_EQ(bodies.bytes_hashed(), beginning.size() + endings);
}

TEST(DkimBodyHashTest, WhateverIsSaidToBeSharedTheHashIsRight) {
    Random random(8463);
    DkimBodyHash bodies;
    std::vector<std::string> beginnings;
    for (int i = 0; i < 12; ++i) {
        std::string text;
        while (text.size() < 3000) text += random_body(random);
        beginnings.push_back(text);
    }
    for (int i = 0; i < 2000; ++i) {
        std::string body = beginnings[random.below(beginnings.size())];
        body.resize(random.below(body.size()));
        if (body.ends_with('\r')) body.pop_back();
        body += random.chance(0.2) ? "" : random_body(random);
        Sha256 hash{};
        ASSERT_TRUE(bodies.hash(body, random.below(body.size() + 100), hash));
        ASSERT_EQ(base64_of(hash), hash_of(body));
    }
}

}  // namespace
}  // namespace posthorn
