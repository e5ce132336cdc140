// Any bytes as an address: what parses prints to the same address again, keeps the limits, and
// fits into a header without adding to it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/mail/address.h"
#include "engine/mail/headers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    posthorn::Address address, again;
    if (posthorn::parse_mailbox(text, address) != posthorn::AddressFault::kNone) return 0;
    const std::string printed = address.to_string();
    CHECK(printed.size() <= posthorn::kAddressBytesMax);
    CHECK(printed.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    CHECK(posthorn::parse_address(printed, again) == posthorn::AddressFault::kNone);
    CHECK(again.local == address.local && again.domain == address.domain);
    std::string header;
    posthorn::append_mailbox_header(header, "To", address.name, printed);
    CHECK(header.ends_with("\r\n"));
    for (std::size_t at = header.find('\n'); at + 1 < header.size(); at = header.find('\n', at + 1))
        CHECK(header[at + 1] == ' ');
    return 0;
}
