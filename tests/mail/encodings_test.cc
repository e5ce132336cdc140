#include "engine/mail/encodings.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/random.h"
#include "engine/mail/utf8.h"
#include "tests/mail/decoders.h"

namespace posthorn {
namespace {

using testing_mail::decode_base64_text;
using testing_mail::decode_encoded_words;
using testing_mail::decode_quoted_printable;
using testing_mail::lines_of;

std::string base64(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
}

std::string as_quoted(std::string_view text) {
    std::string out;
    append_quoted_printable(out, text);
    return out;
}

std::string words(std::string_view text, EncodedWordPlace place = EncodedWordPlace::kUnstructured,
                  std::size_t column = 1) {
    std::string out;
    append_encoded_words(out, text, place, column);
    return out;
}

// Text in which everything that an encoder could trip over is frequent.
std::string awkward_text(Random& random, std::size_t pieces) {
    static constexpr std::string_view kPieces[] = {
        "a",  "word", " ",  "  ", "\t",    "=",
        "?",  "_",    ".",  "\n", "\r\n",  "é",
        "漢", "😀",    "=?", "?=", "From ", "long-word-without-any-blank-that-goes-on-and-on",
        "\"", "<b>"};
    std::string out;
    for (std::size_t i = 0; i < pieces; ++i) out += kPieces[random.below(std::size(kPieces))];
    return out;
}

std::string with_crlf(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') continue;
        if (text[i] == '\n') out += '\r';
        out += text[i];
    }
    return out;
}

TEST(Base64, TheVectorsOfRfc4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    std::string url;
    append_base64url(url, "\xfb\xff\xfe");
    append_base64url(url, "a");
    EXPECT_EQ(url, "-__-YQ");
}

TEST(Base64, DecodingTakesBackWhatEncodingMadeAndNothingElse) {
    Random random(1);
    for (int i = 0; i < 300; ++i) {
        std::string bytes(random.below(200), '\0');
        for (char& c : bytes) c = static_cast<char>(random.below(256));
        std::string url;
        append_base64url(url, bytes);
        EXPECT_EQ(decode_base64(base64(bytes)), bytes);
        EXPECT_EQ(decode_base64url(url), bytes);
        EXPECT_EQ(decode_base64_text(base64(bytes)), bytes);
    }
    for (const char* bad : {"Z", "Zh==", "Zg=", "Zg", "Zg==Zg==", "Z g=", "====", "Zm9v\n"})
        EXPECT_FALSE(decode_base64(bad)) << bad;
    for (const char* bad : {"Z", "Zh", "Zg==", "Zg+/", "a b"})
        EXPECT_FALSE(decode_base64url(bad)) << bad;
}

TEST(Base64, LinesAreOf76CharactersAtMost) {
    for (std::size_t size : {0u, 1u, 56u, 57u, 58u, 114u, 1000u}) {
        const std::string bytes(size, 'x');
        std::string out;
        append_base64_lines(out, bytes);
        EXPECT_EQ(out.size(), base64_lines_size(size));
        for (const std::string& line : lines_of(out)) EXPECT_LE(line.size(), 76u);
        EXPECT_EQ(decode_base64_text(out), bytes);
        EXPECT_TRUE(out.empty() || out.ends_with("\r\n"));
    }
}

TEST(QuotedPrintable, Table) {
    EXPECT_EQ(as_quoted("plain"), "plain\r\n");
    EXPECT_EQ(as_quoted("a=b"), "a=3Db\r\n");
    EXPECT_EQ(as_quoted("é"), "=C3=A9\r\n");
    EXPECT_EQ(as_quoted("a \nb\t\nc "), "a=20\r\nb=09\r\nc=20\r\n");
    EXPECT_EQ(as_quoted("a\rb\nc\r\n"), "a\r\nb\r\nc\r\n");
    EXPECT_EQ(as_quoted(std::string_view("\0\x7f", 2)), "=00=7F\r\n");
    EXPECT_EQ(as_quoted(""), "");
    EXPECT_EQ(as_quoted("\n"), "\r\n");
    EXPECT_EQ(as_quoted(std::string(75, 'a')), std::string(75, 'a') + "\r\n");
    EXPECT_EQ(as_quoted(std::string(76, 'a')), std::string(75, 'a') + "=\r\na\r\n");
    EXPECT_EQ(as_quoted(std::string(75, ' ')), std::string(74, ' ') + "=\r\n=20\r\n");
    EXPECT_EQ(as_quoted(std::string(74, 'a') + "é"), std::string(74, 'a') + "=\r\n=C3=A9\r\n");
}

TEST(QuotedPrintable, DecodesToTheTextWithCanonicalLineEnds) {
    Random random(2);
    for (int i = 0; i < 500; ++i) {
        const std::string text = awkward_text(random, random.below(120));
        std::string expected = with_crlf(text);
        if (!expected.empty() && !expected.ends_with("\r\n")) expected += "\r\n";
        EXPECT_EQ(decode_quoted_printable(as_quoted(text)), expected);
    }
}

TEST(EncodedWords, ChooseTheShorterEncoding) {
    EXPECT_EQ(words("Grüße an alle unsere Leser"),
              "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an_alle_unsere_Leser?=");
    EXPECT_EQ(words("漢字"), "=?UTF-8?B?5ryi5a2X?=");
    EXPECT_EQ(words("a_b=c?d"), "=?UTF-8?B?YV9iPWM/ZA==?=");
    EXPECT_EQ(words("a_b and more of it"), "=?UTF-8?Q?a=5Fb_and_more_of_it?=");
    EXPECT_EQ(words("Ann, B. (x)", EncodedWordPlace::kPhrase), "=?UTF-8?B?QW5uLCBCLiAoeCk=?=");
    EXPECT_EQ(words("Ann Lee, Ph", EncodedWordPlace::kPhrase), "=?UTF-8?Q?Ann_Lee=2C_Ph?=");
}

TEST(EncodedWords, ControlsBecomeSpacesAndBadBytesTheReplacementCharacter) {
    EXPECT_EQ(decode_encoded_words(words(std::string_view("a\r\nb\0c\x7f\xc2\x85z", 10))),
              "a  b c  z");
    EXPECT_EQ(decode_encoded_words(words("a\xff\xc3z")), "a\uFFFD\uFFFDz");
    EXPECT_EQ(decode_encoded_words(words("a\u2028b")), "a b");
}

TEST(EncodedWords, NeverSplitACharacterOrPassALine) {
    Random random(3);
    for (int i = 0; i < 500; ++i) {
        std::string text;
        while (text.empty()) text = awkward_text(random, random.below(60));
        const auto place =
            random.chance(0.5) ? EncodedWordPlace::kPhrase : EncodedWordPlace::kUnstructured;
        std::size_t column = 2 + random.below(90);
        std::string out(column, 'X');
        append_encoded_words(out, text, place, column);
        for (const std::string& line : lines_of(out))
            EXPECT_LE(line.find('=') == std::string::npos ? 0 : line.size(), 76u);
        EXPECT_EQ(lines_of(out).back().size(), column);
        std::string expected = text;
        for (char& c : expected)
            if (c == '\r' || c == '\n' || c == '\t') c = ' ';
        out.erase(0, out.find('='));
        EXPECT_EQ(decode_encoded_words(out), expected);
    }
}

TEST(Utf8, OnlyTheStrictFormIsValid) {
    for (const char* good : {"", "a", "é", "漢", "😀", "\U0010FFFF"}) EXPECT_TRUE(valid_utf8(good));
    for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff", "a\xc3("})
        EXPECT_FALSE(valid_utf8(bad));
}

}  // namespace
}  // namespace posthorn
