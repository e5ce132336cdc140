// Finds the mail hosts of one domain (RFC 5321 section 5.1, RFC 7505) as a value: answers of DNS
// in; questions out, and at last a verdict. Asks MX first, then the addresses of all hosts at once;
// without MX, those of the domain itself. With DANE (RFC 7672) also the TLSA records of the hosts
// that were found by authenticated answers alone; a host whose TLSA records cannot be had is left
// out, for it may be an attacker who keeps them from us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/mail/mail_hosts.h"
#include "engine/net/dns_answer.h"

namespace posthorn {

struct MailHostLimits {
    std::size_t hosts_max = 16;      // the best by preference; senders never try more
    std::size_t addresses_max = 16;  // per host
    std::size_t aliases_max = 8;     // CNAMEs followed from one name
    Duration partial_ttl{std::chrono::seconds(60)};  // of a verdict that a failure had a part in
};

class MailHostLookup {
  public:
    MailHostLookup(std::string domain, bool ipv6, MailHostLimits limits = {}, bool dane = false);
    // Of a host that is given: its addresses, whatever MX it may have.
    static MailHostLookup of_host(std::string host, bool ipv6, MailHostLimits limits = {});

    // What to ask next; empty when answers are missing, or when done.
    std::vector<DnsQuestion> take_questions();

    // Answers nobody waits for are ignored.
    void answered(const DnsQuestion& question, const DnsAnswer& answer);

    bool done() const { return stage_ == Stage::kDone; }
    const std::string& domain() const { return domain_; }

    // Once done. Hosts of equal preference come in random order.
    MailHosts verdict(Random& random) const;

  private:
    enum class Stage : std::uint8_t {
        kMx,
        kAddresses,
        kUnusable,  // no addresses that we could use: are there others?
        kTlsa,
        kDone
    };

    // One search for addresses, along aliases.
    struct Chain {
        std::size_t host = 0;  // index in hosts_
        std::size_t aliases = 0;
        bool authentic = true;  // every alias so far
    };

    // What is known beside a host, at its index in hosts_.
    struct HostProof {
        bool authentic = true;  // its addresses
        std::string base;       // the end of its aliases
        bool failed = false;    // no telling whether it has TLSA records
    };

    struct Given {};
    MailHostLookup(Given, std::string host, bool ipv6, MailHostLimits limits);
    void ask(DnsQuestion question, Chain chain);
    void ask_addresses(std::uint16_t type);
    void take(const DnsQuestion& question, const DnsAnswer& answer, Chain chain);
    void take_mx(const DnsAnswer& answer);
    void take_mx_records(std::vector<MxRecord> records);
    void take_addresses(const DnsAnswer& answer, const Chain& chain);
    void take_tlsa(const DnsAnswer& answer, const Chain& chain);
    void ask_tlsa();
    void next_stage();
    void fail(DnsVerdict verdict, std::string detail);

    std::string domain_;
    bool ipv6_;
    MailHostLimits limits_;
    bool dane_;
    bool mx_authentic_ = false;
    Stage stage_ = Stage::kMx;
    std::vector<DnsQuestion> questions_;
    std::multimap<DnsQuestion, Chain> awaited_;
    std::vector<MailHost> hosts_;  // by preference, then name
    std::vector<HostProof> proofs_;
    std::size_t mx_hosts_ = 0;  // of the domain, those cut off too
    bool implicit_ = false;     // no MX: the domain is its own host
    Duration ttl_ = Duration::max();
    DnsVerdict verdict_ = DnsVerdict::kNoAddress;  // if no host has an address
    std::string detail_;                           // of the failure that weighs most
};

}  // namespace posthorn
