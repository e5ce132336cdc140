// Any bytes as the value of a header field: one field comes of it, of lines that no receiver
// refuses.
#include <string>

#include "engine/base/check.h"
#include "engine/mail/headers.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

// One field: every line but the first is folded, and nothing is in it but printable ASCII.
void check_field(std::string_view field, std::string_view name) {
    CHECK(field.starts_with(std::string(name) + ":"));
    CHECK(field.ends_with("\r\n"));
    std::size_t begin = 0;
    while (begin < field.size()) {
        const std::size_t end = field.find("\r\n", begin);
        CHECK(end != std::string_view::npos && end - begin <= 998);
        const std::string_view line = field.substr(begin, end - begin);
        CHECK(begin == 0 || line.starts_with(' ') || line.starts_with('\t'));
        CHECK(line.find_first_not_of(" \t") != std::string_view::npos);
        for (const char c : line) CHECK((c >= ' ' && c <= '~') || c == '\t');
        begin = end + 2;
    }
}

bool has_long_word(std::string_view value) {
    constexpr std::size_t kLong = 900;
    std::size_t word = 0;
    for (const char c : value) {
        word = c == ' ' ? 0 : word + 1;
        if (word > kLong) return true;
    }
    return false;
}

void fuzz(std::string_view value) {
    std::string field;
    append_header(field, "Subject", value);
    check_field(field, "Subject");
    if (!has_long_word(value)) {  // what has no space cannot be folded: its maker keeps it short
        field.clear();
        append_structured_header(field, "List-Unsubscribe", value);
        check_field(field, "List-Unsubscribe");
    }
    field.clear();
    append_mailbox_header(field, "To", value, "ann@example.test");
    check_field(field, "To");
    CHECK(field.find("ann@example.test") != std::string::npos);
    if (valid_header_name(value)) {
        field.clear();
        append_header(field, value, value);
        check_field(field, value);
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
