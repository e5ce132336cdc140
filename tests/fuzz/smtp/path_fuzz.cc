// Any bytes as the argument of MAIL and RCPT: an address that passes for one can end neither its
// path nor its line, and is read back from the path it is put into.
#include <string>

#include "engine/base/check.h"
#include "engine/smtp/path.h"

namespace posthorn {
namespace {

void fuzz(std::string_view text) {
    if (const auto path = parse_path(text, "FROM:")) {
        CHECK(path->parameters.empty() || path->parameters.front() == ' ');
        CHECK(text.ends_with(path->parameters));
    }
    for (const bool utf8 : {false, true}) {
        if (!plausible_address(text, utf8)) continue;
        CHECK(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
        const std::string argument = "TO:<" + std::string(text) + "> NOTIFY=NEVER";
        const auto path = parse_path(argument, "to:");
        if (!path) continue;  // longer than a path may be, or a route without an end
        CHECK(text.ends_with(path->address) && path->parameters == " NOTIFY=NEVER");
        CHECK(text.starts_with('@') || path->address == text);
    }
    if (plausible_hello_name(text)) CHECK(text.find_first_of(" \r\n") == std::string_view::npos);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
