// The DNS of the simulated internet: what is answered to each question, as a value. Every name has
// an address, unless the profile says otherwise; every domain has MX hosts.
#pragma once

#include <optional>
#include <string>

#include "engine/net/dns_message.h"
#include "tools/sink/names.h"

namespace posthorn::sink {

class Zone {
  public:
    // names outlives it. key_digest: what TLSA records say of the sink's certificates.
    Zone(Names& names, std::string key_digest);

    // nullopt: nothing is answered, and the asker's timeout runs.
    std::optional<DnsMessage> answer(const DnsMessage& query);

  private:
    struct Asked;

    void answer_mail_domain(const Asked& asked, DnsMessage& out);
    void answer_mode(const Asked& asked, DnsMessage& out, bool& dropped);
    void answer_name(const Asked& asked, DnsMessage& out);
    void answer_reverse(const Asked& asked, DnsMessage& out);
    void answer_tlsa(const Asked& asked, DnsMessage& out);

    Names& names_;
    std::string key_digest_;
};

// Bytes to bytes: the answer as sent over UDP (within what the asker takes) or TCP. Empty: none.
std::string answer_bytes(Zone& zone, std::string_view query, bool tcp);

}  // namespace posthorn::sink
