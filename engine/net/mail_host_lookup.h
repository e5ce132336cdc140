// Finds the mail hosts of one domain (RFC 5321 section 5.1, RFC 7505) as a value: answers of DNS
// in; questions out, and at last a verdict. Asks MX first, then the addresses of all hosts at once;
// without MX, those of the domain itself. Never asks the same question twice.
#pragma once

#include <cstddef>
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
    MailHostLookup(std::string domain, bool ipv6, MailHostLimits limits = {});

    // What to ask next, each once; empty when only answers are missing, or when done.
    std::vector<DnsQuestion> take_questions();

    // Answers nobody waits for are ignored.
    void answered(const DnsQuestion& question, const DnsAnswer& answer);

    bool done() const { return stage_ == Stage::kDone; }
    const std::string& domain() const { return domain_; }

    // Once done. Hosts of equal preference come in random order.
    MailHosts verdict(Random& random) const;

  private:
    enum class Stage { kMx, kAddresses, kOnlyIpv6, kDone };

    // One chain of questions for addresses: it moves along aliases.
    struct Chain {
        std::size_t host;  // index in hosts_
        std::size_t aliases;
    };

    void ask(std::string name, std::uint16_t type, Chain chain);
    void mx_answered(const DnsAnswer& answer);
    void take_mx(std::vector<MxRecord> records);
    void ask_addresses(std::uint16_t type);
    void addresses_answered(const DnsAnswer& answer, Chain chain);
    void all_answered();
    void conclude(DnsVerdict verdict, std::string detail);
    void failed(const DnsAnswer& answer, const std::string& name);

    std::string domain_;
    bool ipv6_;
    MailHostLimits limits_;
    Stage stage_ = Stage::kMx;
    std::vector<DnsQuestion> questions_;
    std::multimap<DnsQuestion, Chain> awaited_;
    std::vector<MailHost> hosts_;
    bool implicit_ = false;  // no MX: the domain is its own host
    Duration ttl_{Duration::max()};
    DnsVerdict verdict_ = DnsVerdict::kNoAddress;  // if no host has an address
    std::string detail_;
};

}  // namespace posthorn
