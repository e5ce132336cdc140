// Names and their sites: asking for mail hosts, judging the answers (RFC 5321 section 5.1, RFC
// 7505), and rolling domains that share MX hosts up to one site.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/delivery/scheduler.h"

namespace posthorn {

namespace {

Duration growing(Duration first, Duration longest, std::uint32_t failures) {
    const std::uint32_t doublings = std::min<std::uint32_t>(failures > 0 ? failures - 1 : 0, 20);
    return std::min(longest, first * (std::int64_t{1} << doublings));
}

void remove_special_addresses(MailHosts& answer) {
    bool removed = false;
    for (MailHost& host : answer.hosts) {
        const std::size_t before = host.addresses.size();
        std::erase_if(host.addresses, [](const IpAddress& ip) { return is_special_address(ip); });
        removed |= host.addresses.size() != before;
    }
    std::erase_if(answer.hosts, [](const MailHost& host) { return host.addresses.empty(); });
    if (removed && answer.hosts.empty()) {
        answer.verdict = DnsVerdict::kNoAddress;
        answer.detail =
            "every mail host is at a loopback, private or otherwise special address "
            "(smtp.allow_private_addresses permits them)";
    }
}

std::string site_key(const MailHosts& answer, bool sts) {
    std::vector<std::string> names;
    for (const MailHost& host : answer.hosts) names.push_back(host.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string key;
    for (const std::string& name : names) key += (key.empty() ? "" : ",") + name;
    // A domain whose MX is not authenticated must not undo what another's proves of the same hosts.
    const bool dane =
        std::ranges::any_of(answer.hosts, [](const MailHost& host) { return !host.tlsa.empty(); });
    if (dane) key += " (DANE)";
    if (sts) key += " (MTA-STS)";
    return key;
}

}  // namespace

DomainState& Scheduler::domain_of(const std::string& name) {
    auto& domain = domains_[name];
    if (domain == nullptr) {
        domain = std::make_unique<DomainState>();
        domain->name = name;
    }
    return *domain;
}

void Scheduler::release_domain_state(Lane& lane) {
    std::erase(lane.domain->lanes, &lane);
    forget_domain_if_unused(*lane.domain);
}

void Scheduler::forget_domain_if_unused(DomainState& domain) {
    const bool remembered = domain.held || domain.resolving || domain.failures > 0 ||
                            domain.suspect_since ||
                            (domain.site != nullptr &&
                             (domain.site->failures > 0 || domain.site->some_hold() != nullptr));
    if (!domain.lanes.empty() || remembered) return;
    Site* site = domain.site;
    point_at(domain, nullptr);
    domains_.erase(domain.name);
    if (site != nullptr) touch(*site);
}

void Scheduler::resolve(DomainState& domain, Now now) {
    if (domain.held || domain.resolving || domain.rejected || now.instant < domain.retry_at) return;
    if (domain.site != nullptr && now.instant < domain.expires) return;
    domain.resolving = true;
    output_.resolver.push_back({domain.name});
}

void Scheduler::domain_resolved(DomainResolved answer, Now now) {
    const auto known = domains_.find(answer.domain);
    if (known == domains_.end()) return;
    DomainState& domain = *known->second;
    domain.resolving = false;
    for (const Lane* lane : domain.lanes) lanes_to_tend_.push_back(lane->id);
    if (answer.hosts.verdict == DnsVerdict::kFound && !limits_.allow_private_addresses)
        remove_special_addresses(answer.hosts);
    judge_tls(answer, domain, now);
    if (answer.hosts.verdict != DnsVerdict::kFound) {
        answer_unusable(domain, answer, now);
        return;
    }
    domain.failures = 0;
    domain.suspect_since.reset();
    domain.blocked_since.reset();
    domain.text.clear();
    domain.expires = now.instant + std::clamp<Duration>(answer.hosts.ttl, limits_.dns_ttl_min,
                                                        limits_.dns_ttl_max);
    const bool sts = answer.sts != nullptr && answer.sts->mode == StsMode::kEnforce;
    point_at(domain, &site_of(answer.hosts, sts, now));
    if (domain.site->domain.empty()) domain.site->domain = domain.name;
    take_share(*domain.site, domain.name);
    forget_domain_if_unused(domain);
}

// No such domain, no mail there, or no answer: the old site serves on if there is one; otherwise
// the lanes wait, and a definite "no" counts once it was confirmed.
void Scheduler::answer_unusable(DomainState& domain, const DomainResolved& answer, Now now) {
    const DnsVerdict verdict = answer.hosts.verdict;
    const bool definite = verdict == DnsVerdict::kNullMx || verdict == DnsVerdict::kNoDomain ||
                          verdict == DnsVerdict::kNoAddress;
    ++domain.failures;
    domain.category = definite ? Category::kInvalidDomain : Category::kNetwork;
    domain.text = answer.hosts.detail;
    if (!domain.blocked_since) domain.blocked_since = now.wall;
    if (!definite) {
        domain.retry_at =
            now.instant + growing(limits_.dns_retry_first, limits_.dns_retry_max, domain.failures);
    } else if (!domain.suspect_since) {
        domain.suspect_since = now.wall;
        domain.retry_at = now.instant + limits_.dns_confirm_after;
    } else if (now.wall - *domain.suspect_since >= limits_.dns_confirm_after) {
        domain.rejected = true;
        point_at(domain, nullptr);
        output_.notices.push_back(
            {Notice::Kind::kDomainRejected, 0, domain.name + ": " + domain.text});
    } else {
        domain.retry_at =
            now.instant + (*domain.suspect_since + limits_.dns_confirm_after - now.wall);
    }
    if (!domain.rejected) domain_wakes_.emplace(domain.retry_at, domain.name);
}

Site& Scheduler::site_of(const MailHosts& answer, bool sts, Now now) {
    const std::string key = site_key(answer, sts);
    auto& site = sites_[key];
    if (site == nullptr) {
        site = std::make_unique<Site>();
        site->name = key;
        site->sts = sts;
        site->sources.resize(sources_.size());
        for (SourceAtSite& source : site->sources)
            source.sessions_limit = limits_.site_connections_start;
        attach_holds(*site);
        recall_paces(*site, now);
        site->messages_max = limits_.messages_per_session_max;
        site->lease_size = limits_.lease_recipients_start;
    }
    std::vector<SiteHost> hosts;
    for (const MailHost& host : answer.hosts) {
        SiteHost entry{host, 0, Instant(), 0};
        for (const SiteHost& old : site->hosts)
            if (old.host.name == host.name) {
                entry.failures = old.failures;
                entry.dead_until = old.dead_until;
                entry.next_address = old.next_address;
            }
        hosts.push_back(std::move(entry));
    }
    site->hosts = std::move(hosts);
    return *site;
}

void Scheduler::point_at(DomainState& domain, Site* site) {
    if (domain.site == site) return;
    Site* old = domain.site;
    domain.site = site;
    if (site != nullptr) ++site->domains;
    for (Lane* lane : domain.lanes) {
        if (lane->ready) {
            std::erase(lane->site->ready, lane);
            lane->ready = false;
        }
        lane->site = site;
    }
    if (old == nullptr) return;
    CHECK(old->domains > 0);
    --old->domains;
    touch(*old);
}

void Scheduler::hold_domain(const std::string& domain, const std::string& reason) {
    hold_restored(domain, reason);
    for (Lane* lane : domain_of(domain).lanes) lanes_to_tend_.push_back(lane->id);
    output_.journal.push_back(PutState{"hold", domain, reason});
    ++journal_entries_;
}

void Scheduler::hold_restored(const std::string& domain, const std::string& reason) {
    DomainState& state = domain_of(domain);
    state.held = reason;
    for (Lane* lane : state.lanes)
        if (lane->ready) {
            std::erase(lane->site->ready, lane);
            lane->ready = false;
        }
}

void Scheduler::release_domain(const std::string& domain, Now now) {
    DomainState& state = domain_of(domain);
    state.held.reset();
    state.retry_at = Instant();
    for (Lane* lane : state.lanes) lanes_to_tend_.push_back(lane->id);
    record_state(PutState{"hold", domain, std::nullopt});
    // Of the others at its site nobody knows here which ones are parked for it.
    const bool others = release_holds(domain);
    unpark_all(0, others ? std::string() : domain, false, now);
}

// Deferred recipients of the domain are due now, and its site is worth a try.
void Scheduler::flush_domain(const std::string& domain, Now now) {
    DomainState& state = domain_of(domain);
    state.retry_at = Instant();
    if (state.site != nullptr) {
        state.site->retry_at = Instant();
        for (SiteHost& host : state.site->hosts) host.dead_until = Instant();
        touch(*state.site);
    }
    for (Lane* lane : state.lanes) {
        lane->flushing = true;
        lane->next_due = WallTime();
        lanes_to_tend_.push_back(lane->id);
    }
    unpark_all(0, domain, true, now);
}

}  // namespace posthorn
