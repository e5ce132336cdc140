// Where a domain takes mail: the hosts of RFC 5321 section 5.1 with their addresses, or the reason
// why there are none. Plain values; engine/net finds them out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/mail/ip_address.h"

namespace posthorn {

enum class DnsVerdict : std::uint8_t {
    kFound,
    kNullMx,     // RFC 7505: the domain says that it takes no mail
    kNoDomain,   // NXDOMAIN
    kNoAddress,  // neither MX nor address, or no MX host has an address
    kTemporary,  // SERVFAIL, refused, no answer in time, addresses of a family without a source
    kLoop        // aliases that never end
};

std::string_view name_of(DnsVerdict verdict);  // "null_mx"

// One TLSA record (RFC 6698 section 2.1).
struct TlsaRecord {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string bytes;

    friend auto operator<=>(const TlsaRecord&, const TlsaRecord&) = default;
    friend bool operator==(const TlsaRecord&, const TlsaRecord&) = default;
};

struct MailHost {
    std::string name;  // lower case, without the final dot
    std::uint16_t preference = 0;
    std::vector<IpAddress> addresses;  // never empty in an answer
    Duration ttl{0};                   // how much longer its addresses hold
    // What DNS proves of its key (RFC 7672): not empty only where the domain's MX, the addresses
    // and these records are all authenticated. Then it gets no mail without TLS.
    std::vector<TlsaRecord> tlsa{};
    std::string tlsa_base{};  // the name that they stand under: its own, or the end of its aliases

    friend bool operator==(const MailHost&, const MailHost&) = default;
};

struct MailHosts {
    DnsVerdict verdict = DnsVerdict::kTemporary;
    std::vector<MailHost> hosts;  // by preference, equal ones shuffled; kFound only
    Duration ttl{0};              // how much longer the whole answer holds
    std::string detail;           // one sentence for logs and `explain`
    bool tlsa_failed = false;     // hosts are left out whose TLSA records may be kept from us
};

}  // namespace posthorn
