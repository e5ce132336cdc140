// DNS messages as values (RFC 1035; EDNS0 RFC 6891; TLSA RFC 6698): a bounded parser and a builder
// with name compression. Names are written without the final dot, the root is ""; octets that are
// no plain text stand as \. \\ or \DDD. Opens no socket and caches nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace posthorn {

namespace dns {

inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kNs = 2;
inline constexpr std::uint16_t kCname = 5;
inline constexpr std::uint16_t kSoa = 6;
inline constexpr std::uint16_t kPtr = 12;
inline constexpr std::uint16_t kMx = 15;
inline constexpr std::uint16_t kTxt = 16;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kOpt = 41;
inline constexpr std::uint16_t kTlsa = 52;

inline constexpr std::uint16_t kClassIn = 1;

inline constexpr std::uint16_t kNoError = 0;
inline constexpr std::uint16_t kFormErr = 1;
inline constexpr std::uint16_t kServFail = 2;
inline constexpr std::uint16_t kNxDomain = 3;
inline constexpr std::uint16_t kNotImp = 4;
inline constexpr std::uint16_t kRefused = 5;

// Of one message that is parsed; no honest answer about mail comes near.
inline constexpr std::size_t kRecordsMax = 1000;
inline constexpr std::size_t kNameBytesMax = 255;  // in wire form (RFC 1035 section 2.3.4)
inline constexpr std::size_t kPlainUdpBytes = 512;
inline constexpr std::size_t kMessageBytesMax = 65535;

struct Address4 {
    std::array<std::uint8_t, 4> octets{};
    friend bool operator==(const Address4&, const Address4&) = default;
};
struct Address6 {
    std::array<std::uint8_t, 16> octets{};
    friend bool operator==(const Address6&, const Address6&) = default;
};
struct MailExchange {
    std::uint16_t preference = 0;
    std::string host;  // "" is the null MX (RFC 7505)
    friend bool operator==(const MailExchange&, const MailExchange&) = default;
};
struct NameTarget {  // CNAME, PTR, NS
    std::string name;
    friend bool operator==(const NameTarget&, const NameTarget&) = default;
};
struct Text {
    std::vector<std::string> strings;  // at most 255 octets each
    friend bool operator==(const Text&, const Text&) = default;
};
struct TlsAssociation {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string bytes;
    friend bool operator==(const TlsAssociation&, const TlsAssociation&) = default;
};
struct Authority {  // SOA
    std::string primary;
    std::string mailbox;
    std::uint32_t serial = 0;
    std::uint32_t refresh_s = 0;
    std::uint32_t retry_s = 0;
    std::uint32_t expire_s = 0;
    std::uint32_t minimum_s = 0;  // bounds the negative TTL (RFC 2308)
    friend bool operator==(const Authority&, const Authority&) = default;
};
struct Raw {
    std::string bytes;
    friend bool operator==(const Raw&, const Raw&) = default;
};
using RecordValue = std::variant<Raw, Address4, Address6, MailExchange, NameTarget, Text,
                                 TlsAssociation, Authority>;

struct Question {
    std::string name;
    std::uint16_t type = 0;
    std::uint16_t klass = kClassIn;
    friend bool operator==(const Question&, const Question&) = default;
};

struct Record {
    std::string name;
    std::uint16_t type = 0;
    std::uint16_t klass = kClassIn;
    std::uint32_t ttl_s = 0;
    RecordValue value;  // Raw for every type not named above
    friend bool operator==(const Record&, const Record&) = default;
};

// The OPT record, which stands in no section of DnsMessage; its options are not kept.
struct Edns {
    std::uint16_t udp_bytes = 1232;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    friend bool operator==(const Edns&, const Edns&) = default;
};

}  // namespace dns

struct DnsMessage {
    std::uint16_t id = 0;
    std::uint8_t opcode = 0;
    std::uint16_t rcode = 0;  // with the upper eight bits that EDNS adds
    bool response = false;
    bool authoritative = false;
    bool truncated = false;
    bool recursion_desired = false;
    bool recursion_available = false;
    bool authentic = false;          // AD
    bool checking_disabled = false;  // CD
    std::vector<dns::Question> questions;
    std::vector<dns::Record> answers;
    std::vector<dns::Record> authority;
    std::vector<dns::Record> additional;
    std::optional<dns::Edns> edns;

    friend bool operator==(const DnsMessage&, const DnsMessage&) = default;
};

// kCorrupt for what is no DNS message, with the offset of the first octet that cannot be right.
// Octets after the last record are refused too.
Result<DnsMessage> parse_dns_message(std::string_view bytes);

// The message in at most bytes_max (>= 512) octets. What does not fit is left out, whole records
// from the end, with TC set. kInvalid: a name or a string that DNS cannot carry.
Result<std::string> build_dns_message(const DnsMessage& message,
                                      std::size_t bytes_max = dns::kMessageBytesMax);

}  // namespace posthorn
