#include "engine/server/config_shaping.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/mail/address.h"
#include "engine/server/config_reader.h"
#include "engine/server/json_tree.h"

namespace posthorn {

namespace {

constexpr std::size_t kProvidersMax = 10'000;
constexpr std::size_t kNamesMax = 1'000;  // of one provider
constexpr std::size_t kRatesMax = 8;      // windows that hold at once
constexpr std::uint32_t kCountMax = 1'000'000;

// In A-labels and lower case, with the star that a pattern may begin with. Empty: no such name.
std::string name_of_host(const std::string& text, bool pattern) {
    const bool starred = pattern && text.starts_with("*.");
    std::string domain;
    if (parse_domain(starred ? text.substr(2) : text, domain) != AddressFault::kNone) return "";
    return starred ? "*." + domain : domain;
}

std::vector<std::string> read_names(ConfigObject& object, std::string_view key, bool patterns) {
    std::vector<std::string> names;
    const std::vector<JsonTree>* items = object.array(key);
    if (items == nullptr) return names;
    if (items->size() > kNamesMax)
        object.error(*object.any(key), key, "range", "at most 1000 names of one provider", "");
    for (const JsonTree& item : *items) {
        std::string name;
        if (item.kind == JsonTree::Kind::kString) name = name_of_host(item.text, patterns);
        if (name.empty())
            object.error(item, key, "bad_address", "'" + item.text + "' is not a host name",
                         patterns ? "write mx1.example.com, or *.example.com for all below it"
                                  : "write example.com");
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<Rate> read_rates(ConfigObject& object, std::string_view key) {
    std::vector<Rate> rates;
    const std::vector<JsonTree>* items = object.array(key);
    if (items == nullptr) return rates;
    if (items->size() > kRatesMax)
        object.error(*object.any(key), key, "range", "at most 8 rates", "");
    for (const JsonTree& item : *items) {
        const auto rate =
            item.kind == JsonTree::Kind::kString ? parse_rate(item.text) : std::optional<Rate>();
        const auto same = [&](const Rate& other) { return rate && other.window == rate->window; };
        if (!rate)
            object.error(item, key, "bad_rate", "'" + item.text + "' is not a rate",
                         "write 20/s, 500/m, 10000/h or 200000/d");
        else if (std::any_of(rates.begin(), rates.end(), same))
            object.error(item, key, "conflict", "two rates over the same time", "");
        else
            rates.push_back(*rate);
    }
    return rates;
}

ProviderRule read_provider(ConfigObject object) {
    ProviderRule rule;
    if (auto name = object.text("name")) rule.name = *name;
    // The name is part of keys and of lines that people read.
    const bool plain = !rule.name.empty() && rule.name.size() <= 64 &&
                       std::all_of(rule.name.begin(), rule.name.end(), [](char c) {
                           return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
                                  (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
                       });
    if (!plain)
        object.errors().push_back({object.path_of("name"), "required",
                                   "a provider needs a name of letters, digits, '.', '-' and '_'",
                                   "", object.place().line, object.place().column});
    if (auto share = object.choice("limits_per", {"provider", "site"}))
        rule.per_site = *share == "site";
    rule.mx = read_names(object, "mx", true);
    rule.domains = read_names(object, "domains", false);
    if (rule.mx.empty() && rule.domains.empty())
        object.errors().push_back({object.path_of("mx"), "required",
                                   "nothing says which sites are the provider's",
                                   "give \"mx\": [\"*.example.com\"] or \"domains\"",
                                   object.place().line, object.place().column});
    rule.connections_max = object.integer("connections", 1, kCountMax);
    rule.messages_per_session = object.integer("messages_per_connection", 1, kCountMax);
    rule.message_rates = read_rates(object, "messages");
    rule.connection_rates = read_rates(object, "new_connections");
    for (const char* remark : {"source", "date"}) object.text(remark);
    object.check_unknown();
    return rule;
}

void read_root(ConfigObject root, LoadedShaping& loaded) {
    std::vector<ProviderRule>& rules = loaded.shaping.rules;
    const std::vector<JsonTree>* providers = root.array("providers");
    if (providers != nullptr && providers->size() > kProvidersMax)
        root.error(*root.any("providers"), "providers", "range", "at most 10000 providers", "");
    for (std::size_t i = 0; providers != nullptr && i < providers->size(); ++i) {
        const JsonTree& provider = (*providers)[i];
        const std::string path = "providers/" + std::to_string(i);
        if (provider.kind != JsonTree::Kind::kObject) {
            root.error(provider, path, "type", "a provider must be an object", "");
            continue;
        }
        ProviderRule rule =
            read_provider(ConfigObject(provider, root.path_of(path), root.errors()));
        const auto same = [&](const ProviderRule& other) { return other.name == rule.name; };
        if (std::any_of(rules.begin(), rules.end(), same))
            root.error(provider, path + "/name", "conflict",
                       "two providers are named '" + rule.name + "'", "");
        rules.push_back(std::move(rule));
    }
    root.any("$schema");
    root.check_unknown();
}

}  // namespace

LoadedShaping read_shaping(std::string_view text) {
    LoadedShaping loaded;
    read_object(text, "a shaping file", loaded.errors,
                [&](ConfigObject root) { read_root(std::move(root), loaded); });
    return loaded;
}

}  // namespace posthorn
