#include "engine/net/dns_cache.h"

namespace posthorn {

void DnsCache::put(const DnsQuestion& question, const DnsAnswer& answer, Instant now) {
    if (entries_max_ == 0) return;
    if (const auto known = index_.find(question); known != index_.end()) {
        entries_.erase(known->second);
        index_.erase(known);
    }
    if (entries_.size() == entries_max_) {
        index_.erase(entries_.back().question);
        entries_.pop_back();
    }
    entries_.push_front({question, answer, now + answer.ttl});
    index_.emplace(question, entries_.begin());
}

std::shared_ptr<const DnsAnswer> DnsCache::find(const DnsQuestion& question, Instant now) {
    const auto known = index_.find(question);
    if (known == index_.end()) return nullptr;
    const Entries::iterator entry = known->second;
    if (entry->expires <= now) {
        entries_.erase(entry);
        index_.erase(known);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    auto answer = std::make_shared<DnsAnswer>(entry->answer);
    answer->ttl = entry->expires - now;
    return answer;
}

void DnsCache::clear() {
    index_.clear();
    entries_.clear();
}

}  // namespace posthorn
