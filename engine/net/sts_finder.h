// What holds of a domain by MTA-STS (RFC 8461), found out: its TXT record by DNS, its policy by
// HTTPS where the record names one that is not known yet, and what is kept meanwhile. A policy that
// cannot be fetched leaves the known one in force.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/delivery/sts_policy.h"
#include "engine/delivery/tls_policy.h"
#include "engine/net/https_client.h"
#include "engine/net/resolver.h"

namespace posthorn {

struct StsOptions {
    std::string trust_pem;  // authorities of the policies' servers; empty: the system's
    std::uint16_t port = 443;
    bool ipv6 = false;                     // a source of that family exists
    bool allow_private_addresses = false;  // of the policies' servers
};

struct StsFound {
    std::shared_ptr<const StsPolicy> policy;  // null: nothing is asked for
    TlsResult failure = TlsResult::kSuccess;  // of fetching one
    std::string detail;                       // of the failure
    std::optional<PutState> record;           // what is to be recorded
};

class StsFinder {
  public:
    using Found = std::function<void(StsFound)>;

    // Loop and resolver outlive it.
    static Result<std::unique_ptr<StsFinder>> create(Loop& loop, Resolver& resolver,
                                                     StsOptions options);

    // As stored by an earlier process. False: it need not be kept.
    bool restored(const std::string& domain, std::string_view stored, WallTime now) {
        return cache_.restore(domain, stored, now);
    }

    // Answered once, in a later callback; the domain in lower case and A-labels.
    void find(const std::string& domain, Found found);

  private:
    struct Search;
    StsFinder(Loop& loop, Resolver& resolver, StsOptions options,
              std::unique_ptr<HttpsClient> https);

    void record_came(Search search, const DnsAnswer& answer);
    void ask_address(Search search, std::uint16_t type);
    void fetch(Search search, std::vector<IpAddress> addresses);
    void policy_came(const Search& search, const HttpsAnswer& answer);
    void failed(const Search& search, TlsResult failure, std::string detail);
    std::shared_ptr<const StsPolicy> known(const std::string& domain) const;

    Loop& loop_;
    Resolver& resolver_;
    StsOptions options_;
    std::unique_ptr<HttpsClient> https_;
    StsCache cache_;
    std::unordered_map<std::string, Instant> again_at_;  // no fetch of a domain's policy before
};

}  // namespace posthorn
