// DNS for a loop, over c-ares: questions with single flight, a bound on those outstanding and a
// cache by TTL (RFC 2308 for what does not exist); on top of it the mail hosts of domains. Answers
// always come in a later callback, never within the call that asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/mail/mail_hosts.h"
#include "engine/net/dns_answer.h"
#include "engine/net/dns_channel.h"
#include "engine/net/loop.h"
#include "engine/net/mail_host_lookup.h"

namespace posthorn {

struct ResolverOptions {
    std::vector<std::string> servers;           // "127.0.0.1:5300", "[::1]:53"; empty: the system's
    bool ipv6 = false;                          // a source of that family exists
    DnsTrust trust = DnsTrust::kNever;          // where it holds, TLSA records are asked for
    Duration timeout{std::chrono::seconds(2)};  // of the first try; each round doubles it
    int tries = 3;
    std::size_t outstanding_max = 500;        // questions on the wire; the rest waits its turn
    std::size_t questions_max = 200'000;      // in flight and waiting, for ask()
    std::size_t lookups_max = 50'000;         // domains being looked up
    std::size_t cache_entries_max = 100'000;  // some 300 bytes each
    Duration ttl_min{std::chrono::seconds(10)};
    Duration ttl_max{std::chrono::hours(24)};
    Duration negative_ttl_max{std::chrono::hours(3)};  // RFC 2308 section 5
    Duration failure_ttl{std::chrono::seconds(5)};     // RFC 2308 section 7: at most 5 minutes
    MailHostLimits limits;
};

struct ResolverFigures {
    std::uint64_t questions = 0;  // sent to servers
    std::uint64_t cache_hits = 0;
    std::uint64_t failures = 0;  // temporary ones
    std::size_t outstanding = 0;
    std::size_t waiting = 0;
    std::size_t cached = 0;
};

class Resolver {
  public:
    using MailHostsFound = std::function<void(MailHosts)>;
    using Answered = std::function<void(const DnsAnswer&)>;

    // An error: servers that are no addresses, or no system configuration to read.
    static Result<std::unique_ptr<Resolver>> create(Loop& loop, ResolverOptions options,
                                                    Random random);
    ~Resolver();  // what is outstanding is never answered
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // False, and never answered: lookups_max are under way; ask again after an answer. The
    // callback must not destroy the resolver.
    [[nodiscard]] bool lookup_mail_hosts(const std::string& domain, MailHostsFound found);

    // The same of one host, whatever MX it may have: it is the only mail host of the answer.
    [[nodiscard]] bool lookup_host(const std::string& host, MailHostsFound found);

    // One question as it is, through the cache: TXT of keys and policies, say.
    [[nodiscard]] bool ask(DnsQuestion question, Answered answered);

    void forget_all();  // empties the cache: `flush`
    ResolverFigures figures() const;

  private:
    struct State;
    explicit Resolver(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace posthorn
