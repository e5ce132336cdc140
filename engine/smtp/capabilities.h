// What a server says it can do: the keywords of its reply to EHLO (RFC 5321 section 4.1.1.1).
// Unknown keywords are ignored, malformed values count as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/mail/reply.h"

namespace posthorn {

struct Capabilities {
    std::string host;  // the first word of the reply; after HELO all else is off

    bool pipelining = false;                  // RFC 2920
    bool chunking = false;                    // RFC 3030
    bool eight_bit_mime = false;              // RFC 6152
    bool smtputf8 = false;                    // RFC 6531
    bool enhanced_status_codes = false;       // RFC 2034
    bool starttls = false;                    // RFC 3207
    bool size = false;                        // RFC 1870
    std::optional<std::uint64_t> size_max;    // octets; none: offered without a limit
    std::string auth;                         // RFC 4954, mechanisms in upper case, " PLAIN LOGIN "
    std::optional<std::uint64_t> mail_max;    // RFC 9422: transactions per session
    std::optional<std::uint64_t> rcpt_max;    // RFC 9422: recipients per transaction
    std::optional<std::uint64_t> domain_max;  // RFC 9422: recipient domains per session

    // Learns one line, such as "SIZE 10485760". Keywords in any case.
    void add(std::string_view line);

    bool offers_auth(std::string_view mechanism) const;  // in upper case

    friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

Capabilities parse_capabilities(const Reply& ehlo_reply);

// Whole decimal number without sign that fits; nullopt otherwise.
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

}  // namespace posthorn
