// Questions to name servers over c-ares on a loop: UDP with EDNS, TCP for what is truncated, tries
// and servers in turn. Where the servers are trusted to validate, questions ask for it (DO and AD,
// RFC 4035, RFC 6840 section 5.7), and only then their word is passed on. No cache and no bound:
// the resolver's part.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/dns_answer.h"
#include "engine/net/loop.h"

namespace posthorn {

// Whose word is taken that an answer is authenticated (DNSSEC): it is one bit in a datagram.
enum class DnsTrust : std::uint8_t {
    kNever,
    kOnThisHost,  // where every server is at a loopback address
    kAlways       // the way to the servers is safe, says the operator
};

class DnsChannel {
  public:
    using Answered = std::function<void(const DnsAnswer& answer)>;

    // servers as in ResolverOptions; empty: the system's.
    static Result<std::unique_ptr<DnsChannel>> create(Loop& loop,
                                                      const std::vector<std::string>& servers,
                                                      Duration timeout, int tries,
                                                      DnsTrust trust = DnsTrust::kNever);
    ~DnsChannel();  // what is outstanding is never answered
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;

    // Answered once, maybe within this call. Answers must not send or destroy.
    void send(const DnsQuestion& question, Answered answered);

    bool trusted() const;  // what it says is authentic, is

  private:
    struct State;
    explicit DnsChannel(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace posthorn
