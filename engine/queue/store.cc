#include "engine/queue/store.h"

#include <array>

#include "engine/base/check.h"

namespace posthorn {

namespace {

constexpr std::array<std::string_view, kFamilyCount> kFamilyNames = {
    "meta",    "campaign", "content", "audience", "order",       "lane", "lane_order",
    "outcome", "retry",    "lease",   "event",    "suppression", "state"};
constexpr std::array<std::string_view, 3> kDurabilityNames = {"power", "process", "none"};

}  // namespace

std::string_view name_of(Family family) {
    return kFamilyNames.at(static_cast<std::size_t>(family));
}

std::string_view name_of(Durability durability) {
    return kDurabilityNames.at(static_cast<std::size_t>(durability));
}

std::optional<Durability> parse_durability(std::string_view name) {
    for (std::size_t i = 0; i < kDurabilityNames.size(); ++i)
        if (kDurabilityNames[i] == name) return static_cast<Durability>(i);
    return std::nullopt;
}

void WriteBatch::add(Family family, Kind kind, std::string_view key, std::string_view value) {
    CHECK(key.size() <= UINT32_MAX && value.size() <= UINT32_MAX);
    entries_.push_back({family, kind, static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size()), arena_.size()});
    arena_.append(key);
    arena_.append(value);
}

void WriteBatch::put(Family family, std::string_view key, std::string_view value) {
    add(family, Kind::kPut, key, value);
}

void WriteBatch::erase(Family family, std::string_view key) { add(family, Kind::kErase, key, {}); }

void WriteBatch::erase_range(Family family, std::string_view begin, std::string_view end) {
    CHECK(begin <= end);
    add(family, Kind::kEraseRange, begin, end);
}

WriteBatch::Operation WriteBatch::operator[](std::size_t index) const {
    const Entry& entry = entries_[index];
    const std::string_view bytes = std::string_view(arena_).substr(entry.offset);
    return {entry.family, entry.kind, bytes.substr(0, entry.key_bytes),
            bytes.substr(entry.key_bytes, entry.value_bytes)};
}

void WriteBatch::clear() {
    arena_.clear();
    entries_.clear();
}

std::string prefix_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xff') end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
    return end;
}

}  // namespace posthorn
