// Mail addresses: strict RFC 5321 mailboxes (lengths too), RFC 5322 display names, international
// domains as A-labels (RFC 5890, libidn2), local parts of RFC 6531 recognised. Comments, groups,
// source routes and domain literals are refused. What is parsed here prints back as one address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

inline constexpr std::size_t kLocalBytesMax = 64;      // RFC 5321 section 4.5.3.1.1
inline constexpr std::size_t kDomainBytesMax = 253;    // a name of DNS, without the final dot
inline constexpr std::size_t kLabelBytesMax = 63;      // RFC 1035 section 2.3.4
inline constexpr std::size_t kAddressBytesMax = 254;   // RFC 5321 section 4.5.3.1.3, less brackets
inline constexpr std::size_t kMailboxBytesMax = 2048;  // ours: name and address as written

struct Address {
    std::string local;      // quoted when it must be; then with its quotes
    std::string domain;     // A-labels, lower case
    std::string name;       // display name in UTF-8, without quotes; may be empty
    bool smtputf8 = false;  // the local part is not ASCII

    void append_to(std::string& out) const;  // local@domain
    std::string to_string() const;           // local@domain

    friend bool operator==(const Address&, const Address&) = default;
};

enum class AddressFault : std::uint8_t {
    kNone,
    kEmpty,
    kTooLong,
    kNoAt,
    kLocalEmpty,
    kLocalTooLong,
    kLocalSyntax,
    kDomainEmpty,
    kDomainTooLong,
    kDomainSyntax,
    kDomainOneLabel,
    kLabelEmpty,
    kLabelTooLong,
    kDomainLiteral,
    kDomainIdn,
    kUtf8,
    kControl,
    kName,
    kBrackets,
    kComment,
    kSeveral,
};

// What is wrong, in a few words for a person: "no @", "local part longer than 64".
std::string_view reason(AddressFault fault);

// local@domain, nothing else; spaces and tabs around it are ignored. On a fault out is
// unspecified. Reuses the strings of out: plain ASCII allocates nothing once they have grown.
AddressFault parse_address(std::string_view text, Address& out);

// local@domain, <local@domain>, or Name <local@domain>; the name bare, quoted, or in UTF-8. A bare
// name may hold what lists hold (dots, apostrophes, parentheses) but no comma: that would be two.
AddressFault parse_mailbox(std::string_view text, Address& out);

// The same with an error that quotes the input.
Result<Address> parse_mailbox(std::string_view text);

// A host or mail domain of at least two labels, in lower case and A-labels.
AddressFault parse_domain(std::string_view text, std::string& out);

// The domain for eyes: U-labels where they are valid, the A-label otherwise.
std::string unicode_domain(std::string_view domain);

}  // namespace posthorn
