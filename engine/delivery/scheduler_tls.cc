// What TLS a domain's mail is bound to (RFC 7672, RFC 8461), and the count of how it fared (RFC
// 8460). DANE comes before MTA-STS, and both before the operator's mode, unless that is off.
#include <algorithm>

#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

// MTA-STS does not undo what DANE proves of a host (RFC 8461 section 2).
bool taken_by(const StsPolicy& policy, const MailHost& host) {
    return !host.tlsa.empty() || policy.covers(host.name);
}

}  // namespace

// Takes away the hosts that an enforced policy does not name, and says what the domain is bound to.
void Scheduler::judge_tls(DomainResolved& answer, DomainState& domain, Now now) {
    if (limits_.tls == TlsMode::kOff) {
        answer.sts = nullptr;
        for (MailHost& host : answer.hosts.hosts) host.tlsa.clear();
        return;
    }
    MailHosts& found = answer.hosts;
    const StsPolicy* policy = answer.sts.get();
    const bool sts = policy != nullptr && policy->mode != StsMode::kNone;
    const bool dane =
        std::ranges::any_of(found.hosts, [](const MailHost& host) { return !host.tlsa.empty(); });
    domain.tls_type = dane || found.tlsa_failed ? TlsPolicyType::kTlsa
                      : sts                     ? TlsPolicyType::kSts
                                                : TlsPolicyType::kNone;
    if (found.tlsa_failed)
        tls_results_.count(domain.name, TlsPolicyType::kTlsa, TlsResult::kDnssecInvalid, now);
    if (answer.sts_failure != TlsResult::kSuccess)
        tls_results_.count(domain.name, TlsPolicyType::kSts, answer.sts_failure, now);
    if (!sts || found.verdict != DnsVerdict::kFound) return;
    const auto foreign = [&](const MailHost& host) { return !taken_by(*policy, host); };
    if (std::ranges::any_of(found.hosts, foreign))
        tls_results_.count(domain.name, TlsPolicyType::kSts, TlsResult::kValidationFailure, now);
    if (policy->mode != StsMode::kEnforce) return;
    std::erase_if(found.hosts, foreign);
    if (!found.hosts.empty()) return;
    found.verdict = DnsVerdict::kTemporary;
    found.detail = "no MX host of " + domain.name + " is one that its MTA-STS policy names";
}

std::shared_ptr<const TlsPolicy> Scheduler::tls_policy_for(const Site& site, const SiteHost& host,
                                                           Now now) const {
    TlsMode mode = limits_.tls;
    if (mode == TlsMode::kOff) return nullptr;
    if (const MailHost& proved = host.host; !proved.tlsa.empty())
        return std::make_shared<const TlsPolicy>(
            TlsPolicy{TlsMode::kVerify, false, proved.tlsa_base, proved.tlsa});
    if (site.sts) mode = TlsMode::kVerify;
    if (mode == TlsMode::kOpportunistic && peers_.tls_broken(host.host.name, now.wall))
        return nullptr;
    return std::make_shared<const TlsPolicy>(TlsPolicy{mode, false, host.host.name});
}

// Without a policy nothing was asked of the peer but to encrypt, if it can.
void Scheduler::count_tls(const Slot& slot, TlsResult result, Now now) {
    if (slot.tls == TlsMode::kOff && slot.tls_type == TlsPolicyType::kNone) return;
    if (slot.tls_type == TlsPolicyType::kNone && slot.tls != TlsMode::kVerify) {
        if (result == TlsResult::kStartTlsNotSupported) return;
        const bool unproved = result == TlsResult::kCertificateHostMismatch ||
                              result == TlsResult::kCertificateExpired ||
                              result == TlsResult::kCertificateNotTrusted;
        if (unproved) result = TlsResult::kSuccess;
    }
    tls_results_.count(slot.domain, slot.tls_type, result, now);
}

void Scheduler::record_tls_results(Now now) {
    const auto due = tls_results_.due();
    if (!due || failed_ || (*due > now.instant && !stopping_)) return;
    for (PutState& change : tls_results_.take_changes()) record_state(std::move(change));
}

}  // namespace posthorn
