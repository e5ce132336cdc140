#include "engine/delivery/provider_limits.h"

#include <algorithm>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace posthorn {

namespace {

constexpr std::string_view kMessages = "messages";
constexpr std::string_view kSessions = "connections";

std::string state_key_of(const std::pair<std::string, std::string>& of, std::string_view kind,
                         const RateWindow& window) {
    std::string key = of.first;
    key += '\0';
    key += of.second;
    key += '\0';
    key += kind;
    key += '\0';
    return key += to_string(window.rate().window);
}

std::uint64_t allowed(std::vector<RateWindow>& windows, Instant now) {
    std::uint64_t least = UINT64_MAX;
    for (RateWindow& window : windows) least = std::min(least, window.available(now));
    return least;
}

Instant next_allowed(std::vector<RateWindow>& windows, Instant now) {
    Instant next = now;
    for (RateWindow& window : windows) next = std::max(next, window.next_available(now));
    return next;
}

}  // namespace

ProviderLimits::Usage& ProviderLimits::usage(const ProviderShare& share,
                                             const std::string& source) {
    const auto [found, fresh] = usages_.try_emplace(Key(share.group, source));
    if (fresh) {
        for (const Rate& rate : share.rule->message_rates)
            found->second.messages.emplace_back(rate);
        for (const Rate& rate : share.rule->connection_rates)
            found->second.sessions.emplace_back(rate);
    }
    return found->second;
}

std::uint64_t ProviderLimits::messages_allowed(const ProviderShare& share,
                                               const std::string& source, Instant now) {
    return share.rule->message_rates.empty() ? UINT64_MAX
                                             : allowed(usage(share, source).messages, now);
}

Instant ProviderLimits::next_message(const ProviderShare& share, const std::string& source,
                                     Instant now) {
    return share.rule->message_rates.empty() ? now
                                             : next_allowed(usage(share, source).messages, now);
}

void ProviderLimits::take_messages(const ProviderShare& share, const std::string& source,
                                   std::uint64_t count, Instant now) {
    if (share.rule->message_rates.empty()) return;
    Usage& used = usage(share, source);
    for (RateWindow& window : used.messages) window.take(count, now);
    if (!std::exchange(used.changed, true)) changed_.emplace_back(share.group, source);
}

void ProviderLimits::give_back_message(const ProviderShare& share, const std::string& source,
                                       Instant taken, Instant now) {
    if (share.rule->message_rates.empty()) return;
    for (RateWindow& window : usage(share, source).messages) window.give_back(1, taken, now);
}

bool ProviderLimits::has_room(const ProviderShare& share, const std::string& source) const {
    if (!share.rule->connections_max) return true;
    const auto found = usages_.find(Key(share.group, source));
    return found == usages_.end() || found->second.connections < *share.rule->connections_max;
}

Instant ProviderLimits::next_connection(const ProviderShare& share, const std::string& source,
                                        Instant now) {
    return share.rule->connection_rates.empty() ? now
                                                : next_allowed(usage(share, source).sessions, now);
}

void ProviderLimits::connection_opened(const ProviderShare& share, const std::string& source,
                                       Instant now) {
    Usage& used = usage(share, source);
    ++used.connections;
    for (RateWindow& window : used.sessions) window.take(1, now);
    if (!used.sessions.empty() && !std::exchange(used.changed, true))
        changed_.emplace_back(share.group, source);
}

void ProviderLimits::connection_closed(const ProviderShare& share, const std::string& source) {
    Usage& used = usage(share, source);
    CHECK(used.connections > 0);
    --used.connections;
}

std::vector<PutState> ProviderLimits::take_changes(Now now) {
    std::vector<PutState> puts;
    for (const Key& key : std::exchange(changed_, {})) {
        Usage& used = usages_.at(key);
        used.changed = false;
        for (const RateWindow& window : used.messages)
            puts.push_back({std::string(kShapingKind), state_key_of(key, kMessages, window),
                            window.stored(now)});
        for (const RateWindow& window : used.sessions)
            puts.push_back({std::string(kShapingKind), state_key_of(key, kSessions, window),
                            window.stored(now)});
    }
    return puts;
}

bool ProviderLimits::restore(std::string_view key, std::string_view stored, Now now) {
    ByteReader reader(key);
    const std::string group(reader.until('\0'));
    const std::string source(reader.until('\0'));
    const std::string_view kind = reader.until('\0');
    const std::string_view length = reader.rest();
    const ProviderRule* rule = shaping_->find_group(group);
    if (!reader.ok() || rule == nullptr) return false;
    Usage& used = usage({rule, group}, source);
    bool counts = false;
    for (RateWindow& window : kind == kMessages ? used.messages : used.sessions)
        if (to_string(window.rate().window) == length) counts |= window.restore(stored, now);
    return counts;
}

}  // namespace posthorn
