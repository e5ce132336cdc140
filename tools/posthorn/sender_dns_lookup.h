// Answers the questions of campaigns/sender_dns.h through the resolver, one after the other, on a
// loop of its own: for `posthorn check --dns`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/sender_dns.h"
#include "engine/server/config.h"

namespace posthorn {

class SenderDnsLookup {
  public:
    static Result<std::unique_ptr<SenderDnsLookup>> create(const std::vector<std::string>& servers);
    ~SenderDnsLookup();

    DnsReply ask(const DnsQuery& query);

  private:
    struct State;
    explicit SenderDnsLookup(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// What is to be looked at: the campaign's domains and keys, and those of this host's addresses that
// posthorn.json names.
SenderDns sender_dns_of(const Campaign& campaign, const Config& config);

}  // namespace posthorn
