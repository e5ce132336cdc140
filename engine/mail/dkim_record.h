// The key record that a domain publishes under selector._domainkey (RFC 6376 section 3.6.1, RFC
// 8463 section 4): read as verifiers read it, and held against the key that will sign. Asks no DNS.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/mail/dkim_key.h"

namespace posthorn {

struct DkimRecord {
    std::string key_type = "rsa";  // k=
    std::string public_key;        // p=, decoded; empty: revoked
    std::string hashes;            // h=, a list with colons; empty: all
    std::string services = "*";    // s=
    std::string flags;             // t=
};

inline constexpr std::size_t kDkimRecordBytesMax = 16 * 1024;

// Nothing for what is no key record: bad tags, another version, no p=.
std::optional<DkimRecord> parse_dkim_record(std::string_view text);

// "s1._domainkey.acme.test"
std::string dkim_record_name(std::string_view selector, std::string_view domain);

// The record to publish for a key.
std::string dkim_record_for(const DkimKey& key);

enum class DkimRecordFault {
    kNone,
    kTesting,  // t=y: receivers may treat the mail as unsigned
    kMissing,
    kUnreadable,
    kRevoked,
    kOtherType,
    kOtherKey,
    kNoSha256,
    kNotForMail,
};

// "the published record is of another key"
std::string_view reason(DkimRecordFault fault);

// What is wrong with the texts found at a record's name, for a signature with this key.
DkimRecordFault record_fault(const DkimKey& key, std::span<const std::string> texts);

}  // namespace posthorn
