// The encodings of mail: base64 and base64url (RFC 4648), quoted-printable (RFC 2045 section 6.7)
// and encoded words (RFC 2047). All append to a string that the caller reuses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn {

inline constexpr std::size_t kEncodedLineMax = 76;  // RFC 2045: quoted-printable and base64
inline constexpr std::size_t kEncodedWordMax = 75;  // RFC 2047 section 2

void append_base64(std::string& out, std::string_view bytes);     // padded, one line
void append_base64url(std::string& out, std::string_view bytes);  // RFC 4648 section 5, no padding
void append_base64_lines(std::string& out, std::string_view bytes);  // lines of 76, each with CRLF

// Exactly what append_base64 and append_base64url make, nothing else.
std::optional<std::string> decode_base64(std::string_view text);
std::optional<std::string> decode_base64url(std::string_view text);

// Text with any line ends as quoted-printable with CRLF; lines of at most 76.
void append_quoted_printable(std::string& out, std::string_view text);
std::size_t quoted_printable_size(std::string_view text);  // without soft breaks
inline std::size_t base64_lines_size(std::size_t bytes) {
    const std::size_t characters = (bytes + 2) / 3 * 4;
    return characters + (characters + kEncodedLineMax - 1) / kEncodedLineMax * 2;
}

// The form in which an encoded word may stand: in a phrase (a display name) Q uses fewer
// characters.
enum class EncodedWordPlace { kUnstructured, kPhrase };

// Text as encoded words in UTF-8, B or Q, whichever is shorter; separated by CRLF and a space, no
// character split, no line longer than 76. column is that of out's last line and is moved on.
// Controls become spaces, bytes that are not UTF-8 become U+FFFD.
void append_encoded_words(std::string& out, std::string_view text, EncodedWordPlace place,
                          std::size_t& column);

}  // namespace posthorn
