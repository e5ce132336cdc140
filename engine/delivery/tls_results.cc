#include "engine/delivery/tls_results.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "engine/base/bytes.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kKeysMax = 100'000;                    // domains of one day; 300 bytes each
constexpr Duration kRecordAfter = std::chrono::seconds(5);   // of the first change
constexpr Duration kDaysKept = std::chrono::hours(24 * 30);  // for whoever makes reports of them
constexpr std::size_t kDayBytes = 10;

std::string day_of(WallTime time) {
    const std::chrono::sys_time<Duration> at(time.time_since_epoch());
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
    return text.data();
}

std::string encoded(const TlsCounts& counts) {
    std::string value;
    put_u8(value, kFormat);
    for (const std::uint64_t count : counts) put_varint(value, count);
    return value;
}

}  // namespace

std::string to_string(const TlsResultsKey& key) {
    return key.day + "/" + std::string(name_of(key.policy)) + "/" + key.domain;
}

std::optional<TlsResultsKey> parse_tls_results_key(std::string_view text) {
    if (text.size() < kDayBytes + 2 || text[kDayBytes] != '/') return std::nullopt;
    TlsResultsKey key;
    key.day = text.substr(0, kDayBytes);
    text.remove_prefix(kDayBytes + 1);
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto policy = parse_tls_policy_type(text.substr(0, slash));
    if (!policy) return std::nullopt;
    key.policy = *policy;
    key.domain = text.substr(slash + 1);
    return key;
}

std::optional<TlsCounts> decode_tls_counts(std::string_view stored) {
    ByteReader reader(stored);
    if (reader.u8() != kFormat) return std::nullopt;
    TlsCounts counts{};
    for (std::uint64_t& count : counts) count = reader.varint();
    if (!reader.at_end()) return std::nullopt;
    return counts;
}

bool TlsResults::restore(std::string_view key, std::string_view stored, WallTime now) {
    const auto parsed = parse_tls_results_key(key);
    const auto counts = decode_tls_counts(stored);
    if (!parsed || !counts || parsed->day < day_of(now - kDaysKept)) return false;
    if (parsed->day == day_of(now) && counts_.size() < kKeysMax) counts_[*parsed] = *counts;
    return true;
}

void TlsResults::count(const std::string& domain, TlsPolicyType policy, TlsResult result, Now now) {
    TlsResultsKey key{day_of(now.wall), policy, domain};
    if (!counts_.empty() && counts_.begin()->first.day != key.day && changed_.empty())
        counts_.clear();  // yesterday is in the store
    if (counts_.size() >= kKeysMax && !counts_.contains(key)) return;
    ++counts_[key][static_cast<std::size_t>(result)];
    changed_.insert(std::move(key));
    if (!due_) due_ = now.instant + kRecordAfter;
}

std::vector<PutState> TlsResults::take_changes() {
    std::vector<PutState> changes;
    for (const TlsResultsKey& key : changed_)
        changes.push_back({std::string(kTlsResultsKind), to_string(key), encoded(counts_.at(key))});
    changed_.clear();
    due_.reset();
    return changes;
}

TlsCounts TlsResults::of_today(const std::string& domain, TlsPolicyType policy,
                               WallTime now) const {
    const auto found = counts_.find({day_of(now), policy, domain});
    return found == counts_.end() ? TlsCounts{} : found->second;
}

}  // namespace posthorn
