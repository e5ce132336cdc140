// What one question to DNS came to, for one who asks for addresses and mail hosts: records of the
// type asked for at the end of the chain of aliases (RFC 1034 section 3.6.2), or why there are none
// (RFC 2308), and for how long that holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/mail/ip_address.h"
#include "engine/mail/mail_hosts.h"

namespace posthorn {

struct DnsQuestion {
    std::string name;        // lower case, without the final dot
    std::uint16_t type = 0;  // of RFC 1035 and successors, kDnsType...

    friend auto operator<=>(const DnsQuestion&, const DnsQuestion&) = default;
    friend bool operator==(const DnsQuestion&, const DnsQuestion&) = default;
};

struct MxRecord {
    std::uint16_t preference = 0;
    std::string name;  // lower case, without the final dot; "" is the root

    friend bool operator==(const MxRecord&, const MxRecord&) = default;
};

struct DnsAnswer {
    enum class Kind : std::uint8_t {
        kRecords,
        kAlias,      // the chain ends at `alias` without records: ask there
        kNoRecords,  // the name exists, records of this type do not
        kNoDomain,
        kTemporary,  // SERVFAIL, refused, malformed, no answer in time
        kLoop
    };
    Kind kind = Kind::kTemporary;
    Duration ttl{0};  // of the weakest link; of SOA for what does not exist
    std::vector<MxRecord> mx;
    std::vector<IpAddress> addresses;
    std::vector<std::string> texts;  // of TXT, the strings of a record joined
    std::vector<std::string> names;  // of PTR, lower case
    std::vector<TlsaRecord> tlsa;
    std::string owner;       // of the records: the end of the chain of aliases
    bool authentic = false;  // the server has authenticated all of it (RFC 4035: the AD bit)
    std::string alias;
    std::string detail;  // "SERVFAIL", "no answer in time": for people
};

// Reads a raw answer to the question. Whatever is not an answer to it is kTemporary.
DnsAnswer read_dns_answer(const DnsQuestion& question, std::string_view message);

}  // namespace posthorn
