#include "tools/sink/names.h"

#include <algorithm>

#include "engine/base/hash.h"

namespace posthorn::sink {

namespace {

constexpr std::string_view kHole = "{domain}";
constexpr std::string_view kOthers = "others.invalid";
// How many labels an MX host's name may have in front of its domain.
constexpr int kHostLabelsMax = 3;

bool matches(std::string_view pattern, std::string_view name) {
    if (pattern == "*" || pattern == name) return true;
    return pattern.starts_with("*.") && name.ends_with(pattern.substr(1));
}

std::string with_domain(std::string_view host, std::string_view domain) {
    std::string out(host);
    const std::size_t hole = out.find(kHole);
    if (hole != std::string::npos) out.replace(hole, kHole.size(), domain);
    return out;
}

std::ptrdiff_t index_of_mx(const Entry& entry, std::string_view host, std::string_view domain) {
    const auto found = std::find_if(entry.mx.begin(), entry.mx.end(), [&](const std::string& mx) {
        return with_domain(mx, domain) == host;
    });
    return found == entry.mx.end() ? -1 : found - entry.mx.begin();
}

std::uint64_t share_draw(std::string_view name, std::uint64_t seed, std::size_t index) {
    return hash64(name, seed + 0x9e3779b97f4a7c15u * (index + 1));
}

}  // namespace

std::string address_text(std::uint32_t address) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += std::to_string(address >> shift & 0xff) + (shift ? "." : "");
    return out;
}

std::size_t Names::NameHash::operator()(std::string_view name) const { return hash64(name); }

Names::Names(const Profile& profile, std::uint64_t seed) : profile_(profile), seed_(seed) {}

std::string_view Names::lowered(std::string_view name) {
    lower_.assign(name);
    for (char& c : lower_)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return lower_;
}

const Entry& Names::find_entry(std::string_view lower_name, bool by_share) const {
    for (std::size_t i = 0; i < profile_.entries.size(); ++i) {
        const Entry& entry = profile_.entries[i];
        if (!matches(entry.match, lower_name)) continue;
        if (entry.share >= 1) return entry;
        const double drawn = static_cast<double>(share_draw(lower_name, seed_, i) >> 11) * 0x1p-53;
        if (by_share && drawn < entry.share) return entry;
    }
    return profile_.entries.back();
}

const Entry& Names::entry_for(std::string_view name) const {
    std::string lower(name);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return find_entry(lower, true);
}

Group& Names::group(std::string_view name) {
    auto found = groups_.find(name);
    if (found == groups_.end()) {
        found = groups_.emplace(std::string(name), std::make_unique<Group>()).first;
        found->second->name = name;
    }
    return *found->second;
}

Domain& Names::domain(std::string_view name) {
    std::string_view lower = lowered(name);
    if (const auto found = domains_.find(lower); found != domains_.end()) return *found->second;
    if (domains_.size() >= kNamesMax) lower = kOthers;
    auto& slot = domains_[std::string(lower)];
    if (slot) return *slot;
    slot = std::make_unique<Domain>();
    slot->name = lower;
    slot->entry = &find_entry(lower, true);
    slot->group = &group(slot->entry->provider.empty() ? lower : slot->entry->provider);
    return *slot;
}

std::vector<std::string> Names::mx_of(std::string_view lower_name) const {
    std::vector<std::string> out;
    for (const std::string& host : find_entry(lower_name, true).mx)
        out.push_back(with_domain(host, lower_name));
    return out;
}

std::uint32_t Names::free_address(std::string_view name) const {
    // 127.1.0.1 to 127.254.255.254, the last octet neither 0 nor 255.
    constexpr std::uint32_t kCount = 254 * 256 * 254;
    static_assert(kCount > 2 * kNamesMax);
    auto number = static_cast<std::uint32_t>(hash64(name) % kCount);
    while (true) {
        const std::uint32_t address = 0x7f010000u + number / 254 * 0x100u + number % 254 + 1;
        if (!by_address_.contains(address)) return address;
        number = (number + 1) % kCount;
    }
}

Host& Names::add_host(std::string_view name, std::uint32_t address, const Entry& entry,
                      std::string_view group_name) {
    auto owned = std::make_unique<Host>();
    Host& host = *owned;
    host.name = name;
    host.address = address;
    host.entry = &entry;
    host.group = &group(entry.provider.empty() ? group_name : std::string_view(entry.provider));
    hosts_[host.name] = std::move(owned);
    by_address_.emplace(address, &host);
    return host;
}

Host& Names::host(std::string_view name) {
    std::string_view lower = lowered(name);
    if (const auto found = hosts_.find(lower); found != hosts_.end()) return *found->second;
    if (hosts_.size() >= kNamesMax) lower = kOthers;
    if (const auto found = hosts_.find(lower); found != hosts_.end()) return *found->second;
    for (const Entry& entry : profile_.entries) {
        const std::ptrdiff_t index = index_of_mx(entry, lower, kHole);  // named without a hole
        if (index < 0) continue;
        const bool dead = static_cast<std::size_t>(index) < entry.dead_mx;
        return add_host(lower, dead ? kDeadAddress : free_address(lower), entry, lower);
    }
    std::string_view domain = lower;
    for (int labels = 0; labels <= kHostLabelsMax; ++labels) {
        const Entry& entry = find_entry(domain, true);
        const std::ptrdiff_t index = index_of_mx(entry, lower, domain);
        if (index >= 0) {
            const bool dead = static_cast<std::size_t>(index) < entry.dead_mx;
            return add_host(lower, dead ? kDeadAddress : free_address(lower), entry, domain);
        }
        const std::size_t dot = domain.find('.');
        if (dot == std::string_view::npos) break;
        domain.remove_prefix(dot + 1);
    }
    return add_host(lower, free_address(lower), find_entry(lower, true), lower);
}

const Host* Names::named_at(std::uint32_t address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : found->second;
}

Host& Names::host_at(std::uint32_t address) {
    const auto found = by_address_.find(address);
    if (found != by_address_.end()) return *found->second;
    const std::string name = address_text(address);
    return add_host(name, address, find_entry(name, false), name);
}

}  // namespace posthorn::sink
