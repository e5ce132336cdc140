// Any bytes as base64 and as what is encoded: only what the encoders make is decoded, and decoders
// written from the standards give back what was encoded.
#include <gtest/gtest.h>

#include "engine/base/check.h"
#include "engine/mail/encodings.h"
#include "engine/mail/utf8.h"
#include "tests/mail/decoders.h"

namespace posthorn {
namespace {

using namespace testing_mail;

void fuzz_base64(std::string_view text) {
    std::string out;
    if (const auto bytes = decode_base64(text)) append_base64(out, *bytes);
    CHECK(out.empty() || out == text);
    out.clear();
    if (const auto bytes = decode_base64url(text)) append_base64url(out, *bytes);
    CHECK(out.empty() || out == text);
    out.clear();
    append_base64_lines(out, text);
    CHECK(out.size() == base64_lines_size(text.size()));
    CHECK(decode_base64_text(out) == text);
}

// Every line end as CRLF.
std::string canonical(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool crlf = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
        if (crlf) ++i;
        if (crlf || text[i] == '\n' || text[i] == '\r')
            out += "\r\n";
        else
            out += text[i];
    }
    return out;
}

void fuzz_quoted_printable(std::string_view text) {
    std::string out;
    append_quoted_printable(out, text);
    std::string wanted = canonical(text);
    std::string decoded = decode_quoted_printable(out);
    if (!wanted.ends_with("\r\n")) wanted += "\r\n";
    if (!decoded.ends_with("\r\n")) decoded += "\r\n";
    CHECK(decoded == wanted);
}

void fuzz_encoded_words(std::string_view text) {
    for (const auto place : {EncodedWordPlace::kUnstructured, EncodedWordPlace::kPhrase}) {
        std::string out;
        std::size_t column = 10;
        append_encoded_words(out, text, place, column);
        if (text.empty()) continue;
        const std::string decoded = decode_encoded_words(out);
        CHECK(valid_utf8(decoded));
        for (const char c : decoded) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    GTEST_FLAG_SET(break_on_failure, true);
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    posthorn::fuzz_base64(text);
    posthorn::fuzz_quoted_printable(text);
    posthorn::fuzz_encoded_words(text);
    return 0;
}
