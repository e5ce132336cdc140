// Any text as an unsubscribe token: none is opened that was not sealed, whatever is sealed opens
// again, and an octet changed anywhere closes it.
#include "campaigns/unsubscribe_token.h"
#include "engine/base/check.h"
#include "engine/mail/encodings.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

const TokenKeys& keys() {
    static const TokenKeys keys({TokenKey{1, {}}, TokenKey{7, {1, 2, 3}}});
    return keys;
}

void seal_and_open(FuzzInput input) {
    const auto purpose = static_cast<TokenPurpose>(1 + input.octet() % 3);
    const std::uint8_t changed = input.octet();
    const std::string campaign(input.text(input.octet()));
    const std::string address(input.text(kTokenBytesMax / 2));
    const std::string token = keys().seal(purpose, campaign, address);
    if (token.size() > kTokenBytesMax) return;
    const auto opened = keys().open(token);
    CHECK(opened.has_value() && opened->purpose == purpose);
    CHECK(opened->campaign == campaign && opened->address == address);
    std::string bytes = *decode_base64url(token);
    bytes[changed % bytes.size()] = static_cast<char>(bytes[changed % bytes.size()] ^ 0x20);
    std::string forged;
    append_base64url(forged, bytes);
    CHECK(!keys().open(forged).has_value());
}

// The octets may be the token's text, or what its text stands for.
void open(std::string_view bytes) {
    CHECK(!keys().open(bytes).has_value());
    std::string token;
    append_base64url(token, bytes);
    CHECK(!keys().open(token).has_value());
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::open(std::string_view(reinterpret_cast<const char*>(bytes), size));
    posthorn::seal_and_open({bytes, size});
    return 0;
}
