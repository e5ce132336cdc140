// What the DNS says about the sender of a campaign, and what receivers would make of it: From and
// return path take mail (RFC 5321), SPF (RFC 7208), DMARC and alignment (RFC 7489), DKIM keys
// (RFC 6376), names of the addresses that send. Asks through a function, so it opens no socket.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "campaigns/campaign_errors.h"
#include "engine/mail/dkim_key.h"
#include "engine/mail/ip_address.h"

namespace posthorn {

struct DnsQuery {
    enum class Type : std::uint8_t { kMx, kAddress, kTxt, kPtr };
    Type type = Type::kTxt;
    std::string name;  // of kPtr too: "1.2.0.192.in-addr.arpa"
};

struct DnsReply {
    enum class State : std::uint8_t { kFound, kNone, kNoDomain, kFailed };
    State state = State::kFailed;
    std::vector<std::string> records;  // MX hosts ("": null MX), addresses, texts, names
    std::string detail;                // of a failure
};

using DnsLookup = std::function<DnsReply(const DnsQuery&)>;

struct SigningIdentity {
    std::string domain;
    std::string selector;
    DkimKey key;
};

struct SendingAddress {
    IpAddress ip;
    std::string ehlo;
};

struct SenderDns {
    std::string from_domain;
    std::string return_path_domain;
    std::vector<SigningIdentity> signers;
    std::vector<SendingAddress> sources;  // those that are known
};

// In the order in which the questions were asked. What could not be asked is a warning.
std::vector<CampaignError> check_sender_dns(const SenderDns& sender, const DnsLookup& lookup);

// The name under which an address has its PTR record.
std::string reverse_name(const IpAddress& ip);

}  // namespace posthorn
