#include "tools/sink/hash_set.h"

#include <utility>

namespace posthorn::sink {

bool HashSet::insert(std::uint64_t hash) {
    if (hash == 0) hash = 1;
    if (size_ * 4 >= slots_.size() * 3) grow();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        if (slots_[at] == hash) return false;
        if (slots_[at] != 0) continue;
        slots_[at] = hash;
        ++size_;
        return true;
    }
}

void HashSet::grow() {
    const auto old = std::exchange(slots_, {});
    slots_.resize(old.empty() ? 1024 : old.size() * 2);
    const std::size_t mask = slots_.size() - 1;
    for (const std::uint64_t hash : old) {
        if (hash == 0) continue;
        std::size_t at = hash & mask;
        while (slots_[at] != 0) at = (at + 1) & mask;
        slots_[at] = hash;
    }
}

}  // namespace posthorn::sink
