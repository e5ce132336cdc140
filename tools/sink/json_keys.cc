#include "tools/sink/json_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace posthorn::sink {

namespace {

constexpr std::size_t kWordBytesMax = 64;

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row.back();
}

std::string in_quotes(std::string_view word) { return "\"" + std::string(word) + "\""; }

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names) {
    const auto near = nearest(word, names);
    return near ? "; did you mean " + in_quotes(*near) + "?" : "";
}

std::string as_written(double number) {
    std::string text = std::to_string(number);
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text;
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& names) {
    if (word.size() > kWordBytesMax) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_distance = 1 + std::max<std::size_t>(2, word.size() / 3);
    for (const std::string_view name : names) {
        const bool begun = word.size() > 2 && name.starts_with(word);  // "latency" of latency_ms
        const std::size_t distance = begun ? 1 : edit_distance(word, name);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = name;
    }
    return best;
}

JsonKeys::JsonKeys(const nlohmann::json& object, std::string pointer, Faults& faults)
    : object_(object), pointer_(std::move(pointer)), faults_(faults) {
    if (!object_.is_object()) faults_.push_back(pointer_ + ": must be an object");
}

JsonKeys::~JsonKeys() {
    if (!object_.is_object()) return;
    for (const auto& item : object_.items()) {
        const std::string& key = item.key();
        if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
        faults_.push_back(pointer(key) + ": unknown key" + did_you_mean(key, known_));
    }
}

const nlohmann::json* JsonKeys::find(std::string_view key) {
    known_.push_back(key);
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
}

std::string JsonKeys::pointer(std::string_view key) const {
    return pointer_ + "/" + std::string(key);
}

void JsonKeys::fault(std::string_view key, std::string_view what) {
    faults_.push_back(pointer(key) + ": " + std::string(what));
}

std::optional<std::string> JsonKeys::text(std::string_view key) {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    fault(key, "must be a string");
    return std::nullopt;
}

std::optional<bool> JsonKeys::flag(std::string_view key) {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    fault(key, "must be true or false");
    return std::nullopt;
}

std::optional<double> JsonKeys::number(std::string_view key, double low, double high) {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_number()) {
        const double number = value->get<double>();
        if (number >= low && number <= high) return number;
    }
    fault(key, "must be a number from " + as_written(low) + " to " + as_written(high));
    return std::nullopt;
}

std::optional<std::uint32_t> JsonKeys::whole(std::string_view key, std::uint32_t high) {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= high)
        return static_cast<std::uint32_t>(value->get<std::uint64_t>());
    fault(key, "must be a whole number from 0 to " + std::to_string(high));
    return std::nullopt;
}

std::optional<std::size_t> JsonKeys::choice(std::string_view key,
                                            const std::vector<std::string_view>& names) {
    const auto word = text(key);
    if (!word) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), *word);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string all;
    for (const std::string_view name : names) all += (all.empty() ? "" : " ") + std::string(name);
    fault(key, in_quotes(*word) + " is none of: " + all + did_you_mean(*word, names));
    return std::nullopt;
}

std::size_t JsonKeys::array_size(std::string_view key) {
    const nlohmann::json* value = find(key);
    if (!value) return 0;
    if (value->is_array()) return value->size();
    fault(key, "must be a list of objects");
    return 0;
}

const nlohmann::json& JsonKeys::element(std::string_view key, std::size_t index) const {
    return object_.find(key)->at(index);
}

}  // namespace posthorn::sink
