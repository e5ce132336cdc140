#include "engine/net/mail_host_lookup.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/dns_message.h"

namespace posthorn {
namespace {

using Kind = DnsAnswer::Kind;

// Mail hosts listen at port 25, whichever port trials are made at.
const std::string kTlsaPrefix = "_25._tcp.";

// Of the failures of hosts, the one that the domain is judged by: what may pass comes first.
int weight(DnsVerdict verdict) {
    return verdict == DnsVerdict::kTemporary ? 2 : verdict == DnsVerdict::kLoop ? 1 : 0;
}

std::string type_text(std::uint16_t type) {
    if (type == dns::kTlsa) return "TLSA";
    return type == dns::kMx ? "MX" : type == dns::kAaaa ? "AAAA" : "A";
}

}  // namespace

MailHostLookup::MailHostLookup(std::string domain, bool ipv6, MailHostLimits limits, bool dane)
    : domain_(std::move(domain)), ipv6_(ipv6), limits_(limits), dane_(dane) {
    ask({domain_, dns::kMx}, {});
}

MailHostLookup::MailHostLookup(Given, std::string host, bool ipv6, MailHostLimits limits)
    : domain_(std::move(host)), ipv6_(ipv6), limits_(limits), dane_(false), implicit_(true) {
    hosts_.push_back({domain_, 0, {}, Duration::max()});
    next_stage();
}

MailHostLookup MailHostLookup::of_host(std::string host, bool ipv6, MailHostLimits limits) {
    return {Given(), std::move(host), ipv6, limits};
}

std::vector<DnsQuestion> MailHostLookup::take_questions() { return std::exchange(questions_, {}); }

void MailHostLookup::ask(DnsQuestion question, Chain chain) {
    const bool asked_already = awaited_.contains(question);
    awaited_.emplace(question, chain);
    if (!asked_already) questions_.push_back(std::move(question));
}

void MailHostLookup::answered(const DnsQuestion& question, const DnsAnswer& answer) {
    const auto [begin, end] = awaited_.equal_range(question);
    std::vector<Chain> chains;
    for (auto it = begin; it != end; ++it) chains.push_back(it->second);
    awaited_.erase(begin, end);
    for (const Chain& chain : chains) take(question, answer, chain);
    if (!chains.empty() && awaited_.empty()) next_stage();
}

void MailHostLookup::take(const DnsQuestion& question, const DnsAnswer& answer, Chain chain) {
    if (answer.kind == Kind::kTemporary)
        ttl_ = std::min(ttl_, limits_.partial_ttl);
    else
        ttl_ = std::min(ttl_, answer.ttl);

    if (answer.kind == Kind::kAlias && chain.aliases < limits_.aliases_max) {
        ask({answer.alias, question.type},
            {chain.host, chain.aliases + 1, chain.authentic && answer.authentic});
        return;
    }
    chain.authentic = chain.authentic && answer.authentic;
    const bool endless = answer.kind == Kind::kAlias || answer.kind == Kind::kLoop;
    if (endless) fail(DnsVerdict::kLoop, "the aliases of " + question.name + " never end");
    if (answer.kind == Kind::kTemporary)
        fail(DnsVerdict::kTemporary,
             answer.detail + " for " + type_text(question.type) + " of " + question.name);
    if (stage_ == Stage::kMx) {
        mx_authentic_ = chain.authentic;
        take_mx(answer);
    } else if (stage_ == Stage::kTlsa) {
        take_tlsa(answer, chain);
    } else {
        take_addresses(answer, chain);
    }
}

void MailHostLookup::take_mx(const DnsAnswer& answer) {
    if (answer.kind == Kind::kNoDomain) {
        fail(DnsVerdict::kNoDomain, "NXDOMAIN for " + domain_);
    } else if (answer.kind == Kind::kNoRecords) {
        implicit_ = true;
        hosts_.push_back({domain_, 0, {}, Duration::max()});
    } else if (answer.kind == Kind::kRecords) {
        take_mx_records(answer.mx);
    }
}

// The root among several is a mistake (RFC 7505 section 3) and no host. The cut is by name where
// preferences are equal, so that a domain has the same hosts every time.
void MailHostLookup::take_mx_records(std::vector<MxRecord> records) {
    if (std::ranges::all_of(records, [](const MxRecord& mx) { return mx.name.empty(); })) {
        fail(DnsVerdict::kNullMx, domain_ + " says that it takes no mail (null MX)");
        return;
    }
    std::ranges::sort(records, {},
                      [](const MxRecord& mx) { return std::tie(mx.preference, mx.name); });
    std::set<std::string> names;
    for (MxRecord& mx : records) {
        if (mx.name.empty() || !names.insert(mx.name).second) continue;
        if (hosts_.size() < limits_.hosts_max)
            hosts_.push_back({std::move(mx.name), mx.preference, {}, Duration::max()});
    }
    mx_hosts_ = names.size();
}

void MailHostLookup::take_addresses(const DnsAnswer& answer, const Chain& chain) {
    MailHost& host = hosts_[chain.host];
    if (answer.kind == Kind::kNoDomain && implicit_)
        fail(DnsVerdict::kNoDomain, "NXDOMAIN for " + domain_);
    if (answer.kind != Kind::kRecords) return;
    if (stage_ == Stage::kUnusable) {
        fail(DnsVerdict::kTemporary,
             host.name + " has IPv6 addresses alone, and there is no source of that family");
        return;
    }
    HostProof& proof = proofs_[chain.host];
    proof.authentic = proof.authentic && chain.authentic;
    proof.base = answer.owner;
    host.ttl = std::min(host.ttl, answer.ttl);
    for (const IpAddress& address : answer.addresses)
        if (host.addresses.size() < limits_.addresses_max) host.addresses.push_back(address);
    std::ranges::sort(host.addresses);
    const auto again = std::ranges::unique(host.addresses);
    host.addresses.erase(again.begin(), again.end());
}

// Of the end of a host's aliases first, then of its own name (RFC 7672 section 2.2.3).
void MailHostLookup::take_tlsa(const DnsAnswer& answer, const Chain& chain) {
    MailHost& host = hosts_[chain.host];
    HostProof& proof = proofs_[chain.host];
    if (answer.kind == Kind::kTemporary || answer.kind == Kind::kLoop ||
        answer.kind == Kind::kAlias) {
        proof.failed = true;
        host.addresses.clear();
    } else if (answer.kind == Kind::kRecords && chain.authentic) {
        host.tlsa = answer.tlsa;
        host.tlsa_base = proof.base;
    } else if (proof.base != host.name) {
        proof.base = host.name;
        ask({kTlsaPrefix + host.name, dns::kTlsa}, {chain.host, 0, true});
    }
}

void MailHostLookup::ask_tlsa() {
    for (std::size_t host = 0; host < hosts_.size(); ++host) {
        if (hosts_[host].addresses.empty() || !proofs_[host].authentic) continue;
        if (proofs_[host].base.empty()) proofs_[host].base = hosts_[host].name;
        ask({kTlsaPrefix + proofs_[host].base, dns::kTlsa}, {host, 0, true});
    }
}

void MailHostLookup::next_stage() {
    const bool found =
        std::ranges::any_of(hosts_, [](const MailHost& host) { return !host.addresses.empty(); });
    if (stage_ == Stage::kMx && !hosts_.empty()) {
        stage_ = Stage::kAddresses;
        proofs_.resize(hosts_.size());
        ask_addresses(dns::kA);
        if (ipv6_) ask_addresses(dns::kAaaa);
    } else if (stage_ == Stage::kAddresses && !found && !ipv6_ &&
               verdict_ == DnsVerdict::kNoAddress) {
        stage_ = Stage::kUnusable;
        ask_addresses(dns::kAaaa);
    } else if (stage_ == Stage::kAddresses && found && dane_ && mx_authentic_) {
        stage_ = Stage::kTlsa;
        ask_tlsa();
        if (awaited_.empty()) next_stage();
    } else {
        stage_ = Stage::kDone;
        if (found) verdict_ = DnsVerdict::kFound;
    }
}

void MailHostLookup::ask_addresses(std::uint16_t type) {
    for (std::size_t host = 0; host < hosts_.size(); ++host)
        ask({hosts_[host].name, type}, {host, 0});
}

void MailHostLookup::fail(DnsVerdict verdict, std::string detail) {
    if (!detail_.empty() && weight(verdict) <= weight(verdict_)) return;
    verdict_ = verdict;
    detail_ = std::move(detail);
}

MailHosts MailHostLookup::verdict(Random& random) const {
    CHECK(done());
    MailHosts result;
    result.verdict = verdict_;
    result.ttl = ttl_;
    result.detail = detail_;
    result.tlsa_failed = std::ranges::any_of(proofs_, &HostProof::failed);
    if (verdict_ == DnsVerdict::kNoAddress) {
        result.detail = implicit_ ? domain_ + " has neither MX nor address records"
                                  : "no MX host of " + domain_ + " has an address";
    }
    if (verdict_ != DnsVerdict::kFound) return result;

    for (const MailHost& host : hosts_)
        if (!host.addresses.empty()) result.hosts.push_back(host);
    for (std::size_t i = result.hosts.size(); i > 1; --i)
        std::swap(result.hosts[i - 1], result.hosts[random.below(i)]);
    std::ranges::stable_sort(result.hosts, {}, &MailHost::preference);
    const std::string usable = std::to_string(result.hosts.size());
    result.detail = implicit_ ? "no MX: the domain's own address"
                              : usable + " of " + std::to_string(mx_hosts_) + " MX hosts";
    if (!detail_.empty()) result.detail += "; " + detail_;
    return result;
}

}  // namespace posthorn
