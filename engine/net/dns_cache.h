// Answers of DNS for as long as they hold, at most so many of them: the least recently used goes
// first. Time comes in.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include "engine/base/hash.h"
#include "engine/base/time.h"
#include "engine/net/dns_answer.h"

namespace posthorn {

struct DnsQuestionHash {
    std::size_t operator()(const DnsQuestion& question) const {
        return hash64(question.name, question.type);
    }
};

class DnsCache {
  public:
    explicit DnsCache(std::size_t entries_max) : entries_max_(entries_max) {}

    // answer.ttl is for how long it holds.
    void put(const DnsQuestion& question, const DnsAnswer& answer, Instant now);

    // Its ttl is what is left of it. Null: not there, or no longer.
    std::shared_ptr<const DnsAnswer> find(const DnsQuestion& question, Instant now);

    void clear();
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        DnsQuestion question;
        DnsAnswer answer;
        Instant expires;
    };
    using Entries = std::list<Entry>;

    std::size_t entries_max_;
    Entries entries_;  // most recently used first
    std::unordered_map<DnsQuestion, Entries::iterator, DnsQuestionHash> index_;
};

}  // namespace posthorn
