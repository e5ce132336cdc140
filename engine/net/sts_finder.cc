#include "engine/net/sts_finder.h"

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/net/dns_message.h"

namespace posthorn {

namespace {

constexpr Duration kFetchAgainAfter = std::chrono::minutes(5);  // a failure; RFC 8461 section 3.3
constexpr Duration kRefreshAfter = std::chrono::hours(24);      // section 3.3: "regularly"
constexpr std::size_t kFailuresMax = 100'000;  // domains remembered; 100 bytes each
constexpr std::string_view kPath = "/.well-known/mta-sts.txt";

std::string policy_host(const std::string& domain) { return "mta-sts." + domain; }

bool is_plain_text(std::string_view content_type) {
    const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
    return same_letters(type, "text/plain");
}

}  // namespace

struct StsFinder::Search {
    std::string domain;
    std::string id;
    Found found;
};

Result<std::unique_ptr<StsFinder>> StsFinder::create(Loop& loop, Resolver& resolver,
                                                     StsOptions options) {
    HttpsOptions https;
    https.trust_pem = options.trust_pem;
    https.port = options.port;
    https.body_bytes_max = kStsPolicyBytesMax;
    auto client = HttpsClient::create(loop, std::move(https));
    if (!client) return client.error();
    return std::unique_ptr<StsFinder>(
        new StsFinder(loop, resolver, std::move(options), std::move(*client)));
}

StsFinder::StsFinder(Loop& loop, Resolver& resolver, StsOptions options,
                     std::unique_ptr<HttpsClient> https)
    : loop_(loop), resolver_(resolver), options_(std::move(options)), https_(std::move(https)) {}

std::shared_ptr<const StsPolicy> StsFinder::known(const std::string& domain) const {
    const StsCache::Entry* entry = cache_.find(domain, loop_.now().wall);
    return entry == nullptr ? nullptr : entry->policy;
}

void StsFinder::find(const std::string& domain, Found found) {
    Search search{domain, "", std::move(found)};
    const bool asked = resolver_.ask({"_mta-sts." + domain, dns::kTxt},
                                     [this, search](const DnsAnswer& answer) mutable {
                                         record_came(std::move(search), answer);
                                     });
    if (!asked) loop_.post([this, search] { search.found({known(search.domain), {}, {}, {}}); });
}

// Without a record, or with a broken one, what is known holds on.
void StsFinder::record_came(Search search, const DnsAnswer& answer) {
    const WallTime now = loop_.now().wall;
    const StsCache::Entry* entry = cache_.find(search.domain, now);
    const auto id = parse_sts_record(answer.texts);
    const bool fresh = entry != nullptr && id && entry->id == *id &&
                       now - entry->fetched < std::min(kRefreshAfter, entry->policy->max_age / 2);
    const auto again = again_at_.find(search.domain);
    const bool too_early = again != again_at_.end() && loop_.now().instant < again->second;
    if (!id || fresh || too_early) return search.found({known(search.domain), {}, {}, {}});
    search.id = *id;
    ask_address(std::move(search), dns::kA);
}

void StsFinder::ask_address(Search search, std::uint16_t type) {
    const std::string host = policy_host(search.domain);
    const bool asked = resolver_.ask({host, type}, [this, search,
                                                    type](const DnsAnswer& answer) mutable {
        std::vector<IpAddress> addresses = answer.addresses;
        if (!options_.allow_private_addresses)
            std::erase_if(addresses, [](const IpAddress& ip) { return is_special_address(ip); });
        if (!addresses.empty()) return fetch(std::move(search), std::move(addresses));
        if (type == dns::kA && options_.ipv6) return ask_address(std::move(search), dns::kAaaa);
        failed(search, TlsResult::kStsPolicyFetchError,
               policy_host(search.domain) + " has no address to ask");
    });
    if (!asked)
        loop_.post([this, search] {
            failed(search, TlsResult::kStsPolicyFetchError, "too many questions to DNS");
        });
}

void StsFinder::fetch(Search search, std::vector<IpAddress> addresses) {
    const std::string host = policy_host(search.domain);
    https_->get(host, kPath, addresses,
                [this, search = std::move(search)](const HttpsAnswer& answer) {
                    policy_came(search, answer);
                });
}

void StsFinder::policy_came(const Search& search, const HttpsAnswer& answer) {
    if (!answer.error.empty())
        return failed(search,
                      answer.certificate_refused ? TlsResult::kStsWebpkiInvalid
                                                 : TlsResult::kStsPolicyFetchError,
                      answer.error);
    if (answer.status != 200)
        return failed(search, TlsResult::kStsPolicyFetchError,
                      "HTTP status " + std::to_string(answer.status));
    if (!is_plain_text(answer.content_type))
        return failed(search, TlsResult::kStsPolicyInvalid, "not text/plain");
    auto policy = parse_sts_policy(answer.body);
    if (!policy) return failed(search, TlsResult::kStsPolicyInvalid, policy.error().message);
    again_at_.erase(search.domain);
    StsFound found;
    found.record = cache_.keep(search.domain, std::move(*policy), search.id, loop_.now().wall);
    found.policy = known(search.domain);
    search.found(std::move(found));
}

void StsFinder::failed(const Search& search, TlsResult failure, std::string detail) {
    if (again_at_.size() >= kFailuresMax) again_at_.clear();
    again_at_[search.domain] = loop_.now().instant + kFetchAgainAfter;
    search.found({known(search.domain), failure, std::move(detail), std::nullopt});
}

}  // namespace posthorn
