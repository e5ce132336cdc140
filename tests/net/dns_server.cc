#include "tests/net/dns_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/net/socket_address.h"

namespace posthorn {
namespace {

int bind_loopback(int type, std::uint16_t port) {
    const int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    CHECK(descriptor >= 0);
    SocketAddress address = socket_address({*IpAddress::parse("127.0.0.1"), port});
    if (bind(descriptor, address.get(), address.length) == 0) return descriptor;
    close(descriptor);
    return -1;
}

// Truncates as UDP does: an answer cut in the middle is none.
bool read_whole(int descriptor, char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t got = recv(descriptor, bytes, count, 0);
        if (got <= 0) return false;
        bytes += got;
        count -= static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace

DnsServer::DnsServer() {
    while (tcp_ < 0) {  // until a port is free for both
        if (udp_ >= 0) close(udp_);
        udp_ = bind_loopback(SOCK_DGRAM, 0);
        port_ = local_endpoint(udp_).port;
        tcp_ = bind_loopback(SOCK_STREAM, port_);
    }
    const int buffer_bytes = 4 << 20;
    setsockopt(udp_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
    CHECK(listen(tcp_, 128) == 0 && pipe(stop_) == 0);
    thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
    close(stop_[1]);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, stop_[0]}) close(descriptor);
}

void DnsServer::add(const std::string& name, std::uint16_t type, dns::RecordValue value,
                    std::uint32_t ttl_s) {
    const std::lock_guard lock(mutex_);
    names_.insert(name);
    records_[{name, type}].push_back({name, type, dns::kClassIn, ttl_s, std::move(value)});
}

void DnsServer::add_mx(const std::string& domain, std::uint16_t preference,
                       const std::string& host) {
    add(domain, dns::kMx, dns::MailExchange{preference, host});
}

void DnsServer::add_a(const std::string& name, std::array<std::uint8_t, 4> octets) {
    add(name, dns::kA, dns::Address4{octets});
}

void DnsServer::set_rcode(const std::string& name, std::uint16_t rcode) {
    const std::lock_guard lock(mutex_);
    rcodes_[name] = rcode;
}

void DnsServer::keep_silent(const std::string& name) {
    const std::lock_guard lock(mutex_);
    silent_.insert(name);
}

int DnsServer::asked(const std::string& name, std::uint16_t type) const {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find({name, type});
    return found == asked_.end() ? 0 : found->second;
}

void DnsServer::serve() {
    pollfd polled[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    while (poll(polled, 3, -1) > 0 && polled[2].revents == 0) {
        if (polled[0].revents != 0) serve_udp();
        if (polled[1].revents != 0) serve_tcp();
    }
}

void DnsServer::serve_udp() {
    char bytes[4096];
    SocketAddress from;
    const ssize_t count = recvfrom(udp_, bytes, sizeof(bytes), 0, from.get(), &from.length);
    if (count <= 0) return;
    const std::string answer = answer_to({bytes, static_cast<std::size_t>(count)}, 1232);
    if (!answer.empty()) sendto(udp_, answer.data(), answer.size(), 0, from.get(), from.length);
}

// One question a connection.
void DnsServer::serve_tcp() {
    const int descriptor = accept(tcp_, nullptr, nullptr);
    unsigned char length[2];
    if (read_whole(descriptor, reinterpret_cast<char*>(length), 2)) {
        std::string query((static_cast<std::size_t>(length[0]) << 8) + length[1], '\0');
        if (read_whole(descriptor, query.data(), query.size())) {
            ++over_tcp_;
            const std::string answer = answer_to(query, dns::kMessageBytesMax);
            std::string framed;
            put_u16(framed, static_cast<std::uint16_t>(answer.size()));
            framed += answer;
            send(descriptor, framed.data(), framed.size(), MSG_NOSIGNAL);
        }
    }
    shutdown(descriptor, SHUT_WR);
    char rest;
    while (recv(descriptor, &rest, 1, 0) > 0) {
    }
    close(descriptor);
}

std::string DnsServer::answer_to(std::string_view query, std::size_t bytes_max) {
    const std::lock_guard lock(mutex_);
    Result<DnsMessage> message = parse_dns_message(query);
    if (!message || message->questions.size() != 1) return {};
    const std::string name = message->questions[0].name;
    const std::uint16_t type = message->questions[0].type;
    ++asked_[{name, type}];
    if (silent_.contains(name)) return {};

    message->response = true;
    message->authentic = authentic_ && message->authentic && message->edns->dnssec_ok;
    message->recursion_available = true;
    std::string at = name;
    for (int links = 0; links < 20; ++links) {
        const auto alias = records_.find({at, dns::kCname});
        if (alias == records_.end()) break;
        message->answers.push_back(alias->second[0]);
        at = std::get<dns::NameTarget>(alias->second[0].value).name;
    }
    if (const auto found = records_.find({at, type}); found != records_.end())
        message->answers.insert(message->answers.end(), found->second.begin(), found->second.end());
    else
        message->authority.push_back({"test", dns::kSoa, dns::kClassIn, 300,
                                      dns::Authority{"ns.test", "root.test", 1, 1, 1, 1, 60}});
    if (const auto rcode = rcodes_.find(name); rcode != rcodes_.end())
        message->rcode = rcode->second;
    else if (!names_.contains(at))
        message->rcode = dns::kNxDomain;
    const Result<std::string> built = build_dns_message(*message, bytes_max);
    CHECK(built);
    return *built;
}

}  // namespace posthorn
