#include "engine/mail/mime.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/mail/encodings.h"
#include "engine/mail/utf8.h"
#include "tests/mail/decoders.h"

namespace posthorn {
namespace {

using testing_mail::decode_quoted_printable;
using testing_mail::lines_of;

std::string parameter(std::string_view value) {
    std::string out;
    append_parameter(out, "filename", value);
    return out;
}

std::string random_text(Random& random) {
    static constexpr std::string_view kPieces[] = {
        "a",
        " ",
        "\t",
        "\n",
        "=",
        "é",
        "word word ",
        "\n\n",
        " \n",
        "a stretch of some thirty characters",
        "another-stretch-without-any-blanks-in-it-at-all"};
    std::string out;
    for (std::size_t n = random.below(30); n > 0; --n)
        out += kPieces[random.below(std::size(kPieces))];
    return out;
}

std::string with_crlf(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

// Pieces and values in turn: whatever stands around a piece, the lines keep their limit and the
// text comes back.
TEST(BodyPieces, DecodeToTheirTextWhateverStandsAroundThem) {
    Random random(5);
    for (int i = 0; i < 2000; ++i) {
        std::string text, quoted, plain, seven = "kept";
        QuotedPrintableBody quoted_body(quoted);
        PlainBody plain_body(plain);
        SevenBitBody seven_body(seven);
        bool seven_bit = true;
        for (std::size_t n = random.below(8); n > 0; --n) {
            const std::string part = random_text(random);
            text += part;
            const BodyPiece piece(part);
            const bool constant = random.chance(0.5);
            EXPECT_TRUE(constant ? quoted_body.piece(piece) : quoted_body.value(part));
            EXPECT_TRUE(constant ? plain_body.piece(piece) : plain_body.value(part));
            if (seven_bit) seven_bit = constant ? seven_body.piece(piece) : seven_body.value(part);
        }
        quoted_body.close();
        std::string expected = with_crlf(text);
        EXPECT_EQ(plain, expected);
        if (!expected.empty() && !expected.ends_with("\r\n")) expected += "\r\n";
        EXPECT_EQ(decode_quoted_printable(quoted), expected);
        if (!seven_bit) continue;
        seven_body.close();
        EXPECT_TRUE(is_ascii(text));
        EXPECT_EQ(seven, "kept" + expected);
    }
}

TEST(SevenBitBody, RefusesWhatSevenBitCannotCarry) {
    std::string out;
    EXPECT_FALSE(SevenBitBody(out).piece(BodyPiece("é")));
    EXPECT_FALSE(SevenBitBody(out).value("é"));
    EXPECT_FALSE(SevenBitBody(out).value("--=_0123"));
    EXPECT_FALSE(SevenBitBody(out).value(std::string(999, 'x')));
    EXPECT_FALSE(SevenBitBody(out).piece(BodyPiece(std::string(999, 'x'))));
    SevenBitBody body(out);
    EXPECT_TRUE(body.value(std::string(600, 'x')));
    EXPECT_FALSE(body.piece(BodyPiece(std::string(399, 'x'))));
    SevenBitBody exact(out);
    EXPECT_TRUE(exact.value(std::string(600, 'x')));
    EXPECT_TRUE(exact.piece(BodyPiece(std::string(398, 'x') + "\nrest")));
}

TEST(SmallestEncoding, GoesByTheConstantPieces) {
    using Pieces = std::vector<BodyPiece>;
    EXPECT_EQ(smallest_encoding({}), TransferEncoding::k7bit);
    EXPECT_EQ(smallest_encoding(Pieces{BodyPiece("plain\n")}), TransferEncoding::k7bit);
    EXPECT_EQ(smallest_encoding(Pieces{BodyPiece(std::string(1000, 'x'))}),
              TransferEncoding::kQuotedPrintable);
    EXPECT_EQ(smallest_encoding(Pieces{BodyPiece("Grüße an alle, die dies lesen")}),
              TransferEncoding::kQuotedPrintable);
    EXPECT_EQ(smallest_encoding(Pieces{BodyPiece("漢字かな交じり文の例文です。")}),
              TransferEncoding::kBase64);
}

TEST(Parameter, IsATokenQuotedOrExtended) {
    EXPECT_EQ(parameter("logo.png"), "; filename=logo.png");
    EXPECT_EQ(parameter("a \"b\".pdf"), "; filename=\"a \\\"b\\\".pdf\"");
    EXPECT_EQ(parameter(""), "; filename=\"\"");
    EXPECT_EQ(parameter("a\r\nX: y"), "; filename=\"a  X: y\"");
    EXPECT_EQ(parameter("é.pdf"), ";\r\n filename*=UTF-8''%C3%A9.pdf");
    const std::string big = parameter(std::string(100, 'x'));
    EXPECT_EQ(big, ";\r\n filename*0*=UTF-8''" + std::string(60, 'x') +
                       ";\r\n filename*1*=" + std::string(40, 'x'));
    for (const std::string& line : lines_of(parameter(std::string(3000, '\xff'))))
        EXPECT_LE(line.size(), 90u);
}

TEST(Boundary, CannotStandInAnEncodedBody) {
    std::string out;
    append_boundary(out, std::string("\x01\xef", 2) + std::string(14, 'a'));
    EXPECT_EQ(out, "=_01ef6161616161616161616161616161");
    out.clear();
    append_quoted_printable(out, "=_01ef");
    EXPECT_EQ(out, "=3D_01ef\r\n");
}

}  // namespace
}  // namespace posthorn
