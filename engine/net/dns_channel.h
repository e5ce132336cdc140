// Questions to name servers over c-ares on a loop: UDP with EDNS, TCP for what is truncated, tries
// and servers in turn. No cache and no bound: the resolver's part.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/dns_answer.h"
#include "engine/net/loop.h"

namespace posthorn {

class DnsChannel {
  public:
    using Answered = std::function<void(const DnsAnswer& answer)>;

    // servers as in ResolverOptions; empty: the system's.
    static Result<std::unique_ptr<DnsChannel>> create(Loop& loop,
                                                      const std::vector<std::string>& servers,
                                                      Duration timeout, int tries);
    ~DnsChannel();  // what is outstanding is never answered
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;

    // Answered once, maybe within this call. Answers must not send or destroy.
    void send(const DnsQuestion& question, Answered answered);

  private:
    struct State;
    explicit DnsChannel(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace posthorn
