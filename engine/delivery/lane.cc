#include "engine/delivery/lane.h"

#include <algorithm>

namespace posthorn {

std::vector<Recipient> Lane::take(std::size_t count) {
    std::vector<Recipient> taken;
    taken.reserve(std::min(count, rows()));
    bool retry_turn = true;
    while (taken.size() < count && sendable()) {
        auto& queue = (retry_turn && !due.empty()) || fresh.empty() ? due : fresh;
        taken.push_back(std::move(queue.front()));
        queue.pop_front();
        retry_turn = !retry_turn;
    }
    return taken;
}

void Lane::put_back(const Recipient& recipient) {
    if (recipient.is_retry()) {
        due.push_front(recipient);
        return;
    }
    const auto after = [](const Recipient& a, const Recipient& b) {
        return a.position() < b.position();
    };
    fresh.insert(std::upper_bound(fresh.begin(), fresh.end(), recipient, after), recipient);
}

void Lane::fresh_leased(std::uint64_t sequence, const std::vector<Recipient>& leased) {
    FreshLease lease{sequence, {}, {}, false};
    for (const Recipient& recipient : leased) {
        if (recipient.is_retry()) continue;
        const std::string_view position = recipient.position();
        if (lease.first.empty() || position < lease.first) lease.first = position;
        if (position > lease.last) lease.last = position;
    }
    if (!lease.first.empty()) fresh_leases.push_back(std::move(lease));
}

std::string Lane::lease_recorded(std::uint64_t sequence, std::uint32_t mark_every) {
    for (FreshLease& lease : fresh_leases)
        if (lease.sequence == sequence) lease.recorded = true;
    std::string reached;
    while (!fresh_leases.empty() && fresh_leases.front().recorded) {
        reached = std::max(reached, fresh_leases.front().last);
        fresh_leases.pop_front();
    }
    if (reached.empty() || recorded_since_mark < mark_every) return {};
    // Rows that came back may lie before it, waiting or in a younger lease.
    if (!fresh.empty() && fresh.front().position() <= reached) return {};
    for (const FreshLease& lease : fresh_leases)
        if (lease.first <= reached) return {};
    recorded_since_mark = 0;
    return reached;
}

}  // namespace posthorn
