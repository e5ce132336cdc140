// Addresses as they stand in MAIL and RCPT: what may be written between the brackets and what is
// read from them. Both halves use it, so that nothing can be smuggled through an address.
#pragma once

#include <optional>
#include <string_view>

namespace posthorn {

// Whether an address may stand between brackets: no octet that could end the path or the line, a
// local part and a domain; octets above 127 only if utf8. Not the whole grammar of RFC 5321.
bool plausible_address(std::string_view address, bool utf8);

// Whether a name may be said to HELO and EHLO: printable ASCII without spaces.
bool plausible_hello_name(std::string_view name);

// "FROM:<a@b> SIZE=10" with keyword "FROM:": the address without brackets and source route, and
// what follows it. A path that breaks the grammar gives nullopt.
struct PathArgument {
    std::string_view address;
    std::string_view parameters;
};
std::optional<PathArgument> parse_path(std::string_view argument, std::string_view keyword);

}  // namespace posthorn
