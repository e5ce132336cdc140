// A name server on loopback for tests, in a thread of its own, over UDP and TCP. It answers what it
// was told, NXDOMAIN otherwise, and counts what it was asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/net/dns_message.h"

namespace posthorn {

class DnsServer {
  public:
    DnsServer();
    ~DnsServer();

    std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

    void add(const std::string& name, std::uint16_t type, dns::RecordValue value,
             std::uint32_t ttl_s = 300);
    void add_mx(const std::string& domain, std::uint16_t preference, const std::string& host);
    void add_a(const std::string& name, std::array<std::uint8_t, 4> octets);
    void set_rcode(const std::string& name, std::uint16_t rcode);
    void keep_silent(const std::string& name);  // no answer at all
    void authenticate() { authentic_ = true; }  // AD where the question asks for it

    int asked(const std::string& name, std::uint16_t type) const;
    int asked_over_tcp() const { return over_tcp_; }

  private:
    using Key = std::pair<std::string, std::uint16_t>;

    void serve();
    void serve_udp();
    void serve_tcp();
    std::string answer_to(std::string_view query, std::size_t bytes_max);

    int udp_ = -1, tcp_ = -1, stop_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::map<Key, std::vector<dns::Record>> records_;
    std::set<std::string> names_;
    std::map<std::string, std::uint16_t> rcodes_;
    std::set<std::string> silent_;
    std::atomic<bool> authentic_ = false;
    std::map<Key, int> asked_;
    std::atomic<int> over_tcp_ = 0;
    std::thread thread_;
};

}  // namespace posthorn
