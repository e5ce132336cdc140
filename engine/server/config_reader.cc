#include "engine/server/config_reader.h"

#include <algorithm>
#include <charconv>

#include "engine/base/units.h"

namespace posthorn {

namespace {

// Levenshtein distance, of short names.
std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& known) {
    constexpr std::size_t kNameBytesMax = 64;
    std::string best;
    std::size_t best_edits = wrong.size() / 3 + 2;  // farther ones are not what was meant
    if (wrong.size() > kNameBytesMax) return best;
    for (const std::string& name : known) {
        const std::size_t edits = edits_between(wrong, name);
        if (edits < best_edits) {
            best_edits = edits;
            best = name;
        }
    }
    return best;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShownBytesMax = 60;
    if (text.size() > kShownBytesMax)
        return "'" + std::string(text.substr(0, kShownBytesMax)) + "…'";
    return "'" + std::string(text) + "'";
}

}  // namespace

const JsonTree::Member* ConfigObject::find(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
    const auto at = std::find_if(object_.members.begin(), object_.members.end(),
                                 [&](const JsonTree::Member& member) { return member.key == key; });
    return at == object_.members.end() ? nullptr : &*at;
}

const JsonTree* ConfigObject::any(std::string_view key) {
    const JsonTree::Member* member = find(key);
    return member == nullptr ? nullptr : &member->value;
}

const JsonTree* ConfigObject::typed(std::string_view key, JsonTree::Kind kind) {
    const JsonTree* value = any(key);
    if (value == nullptr || value->kind == kind) return value;
    error(*value, key, "type",
          quoted(key) + " must be " + std::string(words_for(kind)) + ", not " +
              std::string(words_for(value->kind)),
          "");
    return nullptr;
}

std::optional<std::string> ConfigObject::text(std::string_view key) {
    const JsonTree* value = typed(key, JsonTree::Kind::kString);
    if (value == nullptr) return std::nullopt;
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (std::any_of(value->text.begin(), value->text.end(), control)) {
        error(*value, key, "range", quoted(key) + " holds control characters", "");
        return std::nullopt;
    }
    return value->text;
}

std::optional<bool> ConfigObject::boolean(std::string_view key) {
    const JsonTree* value = typed(key, JsonTree::Kind::kBoolean);
    if (value == nullptr) return std::nullopt;
    return value->boolean;
}

std::optional<std::uint32_t> ConfigObject::integer(std::string_view key, std::uint32_t low,
                                                   std::uint32_t high) {
    const JsonTree* value = typed(key, JsonTree::Kind::kNumber);
    if (value == nullptr) return std::nullopt;
    std::uint32_t number = 0;
    const char* end = value->text.data() + value->text.size();
    const auto [stopped, fault] = std::from_chars(value->text.data(), end, number);
    if (fault == std::errc() && stopped == end && number >= low && number <= high) return number;
    error(*value, key, "range",
          quoted(key) + " must be a whole number from " + std::to_string(low) + " to " +
              std::to_string(high),
          "");
    return std::nullopt;
}

std::optional<Duration> ConfigObject::duration(std::string_view key, Duration low) {
    const JsonTree* value = typed(key, JsonTree::Kind::kString);
    if (value == nullptr) return std::nullopt;
    const std::optional<Duration> duration = parse_duration(value->text);
    if (!duration) {
        error(*value, key, "bad_duration", quoted(value->text) + " is not a duration",
              "write 90s, 10m, 4h or 2d");
    } else if (*duration < low) {
        error(*value, key, "range", quoted(key) + " must be at least " + to_string(low), "");
        return std::nullopt;
    }
    return duration;
}

std::optional<double> ConfigObject::percent(std::string_view key) {
    const JsonTree* value = typed(key, JsonTree::Kind::kString);
    if (value == nullptr) return std::nullopt;
    double number = -1;
    const char* end = value->text.data() + value->text.size();
    const auto [stopped, fault] = std::from_chars(value->text.data(), end, number);
    if (fault == std::errc() && stopped + 1 == end && *stopped == '%' && number >= 0 &&
        number <= 50)
        return number;
    error(*value, key, "range", quoted(value->text) + " is not a percentage from 0% to 50%",
          "write 5%");
    return std::nullopt;
}

std::optional<std::string> ConfigObject::choice(std::string_view key,
                                                std::initializer_list<std::string_view> values) {
    const JsonTree* value = typed(key, JsonTree::Kind::kString);
    if (value == nullptr) return std::nullopt;
    if (std::find(values.begin(), values.end(), value->text) != values.end()) return value->text;
    std::string list;
    for (const std::string_view allowed : values)
        list.append(list.empty() ? "" : ", ").append(allowed);
    error(*value, key, "enum", quoted(value->text) + " is not one of " + list, "");
    return std::nullopt;
}

std::optional<ConfigObject> ConfigObject::object(std::string_view key) {
    const JsonTree* value = typed(key, JsonTree::Kind::kObject);
    if (value == nullptr) return std::nullopt;
    return ConfigObject(*value, path_of(key), errors_);
}

const std::vector<JsonTree>* ConfigObject::array(std::string_view key) {
    const JsonTree* value = typed(key, JsonTree::Kind::kArray);
    return value == nullptr ? nullptr : &value->items;
}

void ConfigObject::not_carried_out(std::string_view key) {
    if (const JsonTree::Member* member = find(key))
        errors_.push_back({path_of(key), "unsupported", quoted(key) + " is not supported yet",
                           "leave it out", member->place.line, member->place.column});
}

void ConfigObject::error(const JsonTree& value, std::string_view key, std::string code,
                         std::string message, std::string hint) {
    errors_.push_back({path_of(key), std::move(code), std::move(message), std::move(hint),
                       value.place.line, value.place.column});
}

void ConfigObject::check_unknown() {
    for (const JsonTree::Member& member : object_.members) {
        if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
        const std::string nearest = nearest_name(member.key, known_);
        errors_.push_back({path_of(member.key), "unknown_field",
                           quoted(member.key) + " is not a key of " +
                               (path_.empty() ? "this file" : quoted(path_.substr(1))),
                           nearest.empty() ? "" : "did you mean '" + nearest + "'?",
                           member.place.line, member.place.column});
    }
}

void read_object(std::string_view text, std::string_view what, std::vector<ConfigError>& errors,
                 const std::function<void(ConfigObject)>& read) {
    const auto parsed = parse_json_tree(text);
    if (const auto* fault = std::get_if<JsonTreeFault>(&parsed)) {
        errors.push_back(
            {"", "json_syntax", fault->message, "", fault->place.line, fault->place.column});
        return;
    }
    const JsonTree& root = *std::get_if<JsonTree>(&parsed);
    if (root.kind == JsonTree::Kind::kObject)
        read(ConfigObject(root, "", errors));
    else
        errors.push_back({"", "type", std::string(what) + " must be an object", "", root.place.line,
                          root.place.column});
    std::stable_sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
}

}  // namespace posthorn
