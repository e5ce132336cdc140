// MIME (RFC 2045, 2046, 2231): transfer encodings of a body that is written piece by piece.
// Constant pieces are encoded once, whatever will stand around them; only what varies is encoded
// per message. Line ends of any kind become CRLF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

inline constexpr std::size_t kLineBytesMax = 998;  // RFC 5322 section 2.1.1, without CRLF

enum class TransferEncoding : std::uint8_t { k7bit, kQuotedPrintable, kBase64 };
std::string_view name_of(TransferEncoding encoding);  // "7bit"

// How far a piece reaches into the lines around it. Bytes, without line ends and without the = of
// a soft break.
struct PieceShape {
    std::size_t first = 0;    // of its first line
    std::size_t last = 0;     // of its last line; the same line when breaks is false
    std::size_t longest = 0;  // of any line
    bool breaks = false;      // holds at least one line end
};

// A constant stretch of a body, in every form in which it may be written.
struct BodyPiece {
    explicit BodyPiece(std::string_view text);

    std::string plain;   // with CRLF
    std::string quoted;  // quoted-printable, its last blank left as it is
    PieceShape plain_shape, quoted_shape;
    bool ascii = false;
};

// Which encoding is smallest for a body made of these pieces, values aside. k7bit may turn out
// wrong for one message: then that message takes quoted-printable.
TransferEncoding smallest_encoding(const std::vector<BodyPiece>& pieces);

// The three writers of one body. They append to out from where it ends; false: this body cannot be
// written so, and what was appended is to be cut off again. close() ends the last line.

class SevenBitBody {
  public:
    explicit SevenBitBody(std::string& out) : out_(out) {}

    bool piece(const BodyPiece& piece);
    bool value(std::string_view text);  // false too for "=_", with which boundaries begin
    void close();

  private:
    std::string& out_;
    std::size_t column_ = 0;
};

class QuotedPrintableBody {
  public:
    explicit QuotedPrintableBody(std::string& out) : out_(out) {}

    bool piece(const BodyPiece& piece);
    bool value(std::string_view text);
    void close();

  private:
    void soft_break();
    void hard_break();
    void protect_blank();

    std::string& out_;
    std::size_t column_ = 0;  // at most 75, so that a soft break always fits
};

// Text with CRLF, to be encoded as a whole.
class PlainBody {
  public:
    explicit PlainBody(std::string& out) : out_(out) {}

    bool piece(const BodyPiece& piece);
    bool value(std::string_view text);
    void close() {}

  private:
    std::string& out_;
};

// "; name=value" of a header's parameter: a token, a quoted string, or in RFC 2231's extended form;
// long values go onto lines of their own.
void append_parameter(std::string& out, std::string_view name, std::string_view value);

// "=_", a letter but for alternatives, and 32 hex digits: the first two never stand in
// quoted-printable or base64, and none begins another.
enum class Boundary : char { kAlternative = 0, kMixed = 'm', kRelated = 'r' };
void append_boundary(std::string& out, std::string_view hash_of_message,
                     Boundary boundary = Boundary::kAlternative);

}  // namespace posthorn
