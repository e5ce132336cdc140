#include "engine/mail/mime.h"

#include <algorithm>
#include <array>

#include "engine/mail/encodings.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::size_t kQuotedColumns = kEncodedLineMax - 1;  // room for the = of a soft break
constexpr char kHex[] = "0123456789ABCDEF";

// What stands for itself in quoted-printable, as long as no blank ends a line.
constexpr std::array<bool, 256> make_literal() {
    std::array<bool, 256> literal{};
    for (std::size_t c = 0x20; c < 0x7F; ++c) literal[c] = c != '=';
    literal['\t'] = true;
    return literal;
}
constexpr std::array<bool, 256> kLiteral = make_literal();

bool is_literal(char c) { return kLiteral[static_cast<unsigned char>(c)]; }

// Takes one line end off the front of text, which begins with CR or LF.
void take_line_end(std::string_view& text) {
    const bool pair = text.front() == '\r' && text.size() > 1 && text[1] == '\n';
    text.remove_prefix(pair ? 2 : 1);
}

// Calls line(view) for what stands between line ends, and line_end() at each.
template <class Line, class LineEnd>
bool for_each_line(std::string_view text, Line line, LineEnd line_end) {
    for (;;) {
        const std::size_t length = std::min(text.find_first_of("\r\n"), text.size());
        if (!line(text.substr(0, length))) return false;
        text.remove_prefix(length);
        if (text.empty()) return true;
        take_line_end(text);
        line_end();
    }
}

PieceShape shape_of(std::string_view text, bool quoted) {
    PieceShape shape;
    std::size_t line = 0;
    for (;;) {
        const std::size_t end = text.find("\r\n", line);
        std::size_t length = std::min(end, text.size()) - line;
        if (quoted && end != std::string_view::npos && length > 0 && text[end - 1] == '=') --length;
        if (!shape.breaks) shape.first = length;
        shape.last = length;
        shape.longest = std::max(shape.longest, length);
        if (end == std::string_view::npos) return shape;
        shape.breaks = true;
        line = end + 2;
    }
}

}  // namespace

std::string_view name_of(TransferEncoding encoding) {
    switch (encoding) {
        case TransferEncoding::k7bit:
            return "7bit";
        case TransferEncoding::kQuotedPrintable:
            return "quoted-printable";
        case TransferEncoding::kBase64:
            return "base64";
    }
    return "";
}

BodyPiece::BodyPiece(std::string_view text) : ascii(is_ascii(text)) {
    PlainBody(plain).value(text);
    QuotedPrintableBody(quoted).value(text);
    plain_shape = shape_of(plain, false);
    quoted_shape = shape_of(quoted, true);
}

TransferEncoding smallest_encoding(const std::vector<BodyPiece>& pieces) {
    std::size_t plain = 0, quoted = 0;
    bool seven_bit = true;
    for (const BodyPiece& piece : pieces) {
        plain += piece.plain.size();
        quoted += piece.quoted.size();
        seven_bit = seven_bit && piece.ascii && piece.plain_shape.longest <= kLineBytesMax;
    }
    if (seven_bit) return TransferEncoding::k7bit;
    return quoted <= base64_lines_size(plain) ? TransferEncoding::kQuotedPrintable
                                              : TransferEncoding::kBase64;
}

bool SevenBitBody::piece(const BodyPiece& piece) {
    const PieceShape& shape = piece.plain_shape;
    if (!piece.ascii || shape.longest > kLineBytesMax || column_ + shape.first > kLineBytesMax)
        return false;
    out_.append(piece.plain);
    column_ = shape.breaks ? shape.last : column_ + shape.last;
    return true;
}

bool SevenBitBody::value(std::string_view text) {
    if (!is_ascii(text) || text.find("=_") != std::string_view::npos) return false;
    return for_each_line(
        text,
        [this](std::string_view line) {
            out_.append(line);
            column_ += line.size();
            return column_ <= kLineBytesMax;
        },
        [this] {
            out_.append("\r\n");
            column_ = 0;
        });
}

void SevenBitBody::close() {
    if (column_ > 0) out_.append("\r\n");
    column_ = 0;
}

bool QuotedPrintableBody::piece(const BodyPiece& piece) {
    if (piece.quoted.empty()) return true;
    const PieceShape& shape = piece.quoted_shape;
    if (shape.first == 0)
        protect_blank();
    else if (column_ + shape.first > kQuotedColumns)
        soft_break();
    out_.append(piece.quoted);
    column_ = shape.breaks ? shape.last : column_ + shape.last;
    return true;
}

bool QuotedPrintableBody::value(std::string_view text) {
    while (!text.empty()) {
        const std::size_t room = kQuotedColumns - column_;
        std::size_t run = 0;
        while (run < text.size() && run < room && is_literal(text[run])) ++run;
        out_.append(text.substr(0, run));
        column_ += run;
        text.remove_prefix(run);
        if (text.empty()) break;
        const char next = text.front();
        if (next == '\r' || next == '\n') {
            take_line_end(text);
            hard_break();
        } else if (is_literal(next)) {
            soft_break();
        } else {
            if (column_ + 3 > kQuotedColumns) soft_break();
            const auto byte = static_cast<unsigned char>(next);
            const char encoded[] = {'=', kHex[byte >> 4], kHex[byte & 15]};
            out_.append(encoded, 3);
            column_ += 3;
            text.remove_prefix(1);
        }
    }
    return true;
}

void QuotedPrintableBody::close() {
    protect_blank();
    if (column_ > 0) out_.append("\r\n");
    column_ = 0;
}

void QuotedPrintableBody::soft_break() {
    out_.append("=\r\n");
    column_ = 0;
}

void QuotedPrintableBody::hard_break() {
    protect_blank();
    out_.append("\r\n");
    column_ = 0;
}

// A blank that ends a line would be lost on the way.
void QuotedPrintableBody::protect_blank() {
    if (column_ == 0) return;
    const char last = out_.back();
    if (last != ' ' && last != '\t') return;
    out_.pop_back();
    --column_;
    if (column_ + 3 > kQuotedColumns) soft_break();
    out_.append(last == ' ' ? "=20" : "=09");
    column_ += 3;
}

bool PlainBody::piece(const BodyPiece& piece) {
    out_.append(piece.plain);
    return true;
}

bool PlainBody::value(std::string_view text) {
    return for_each_line(
        text,
        [this](std::string_view line) {
            out_.append(line);
            return true;
        },
        [this] { out_.append("\r\n"); });
}

void append_boundary(std::string& out, std::string_view hash_of_message, Boundary boundary) {
    out.append("=_");
    if (boundary != Boundary::kAlternative) out.push_back(static_cast<char>(boundary));
    for (char c : hash_of_message.substr(0, 16)) {
        out.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
        out.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 15]);
    }
}

}  // namespace posthorn
