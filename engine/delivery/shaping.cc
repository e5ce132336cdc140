#include "engine/delivery/shaping.h"

#include <algorithm>

namespace posthorn {

namespace {

constexpr std::string_view kAtSite = " at ";

bool matches(std::string_view pattern, std::string_view name) {
    if (!pattern.starts_with("*.")) return pattern == name;
    const std::string_view suffix = pattern.substr(1);  // ".a.test"
    return name.ends_with(suffix) || name == suffix.substr(1);
}

}  // namespace

const ProviderRule* Shaping::find(const std::vector<std::string>& hosts,
                                  std::string_view domain) const {
    for (const ProviderRule& rule : rules) {
        const bool by_host = std::any_of(rule.mx.begin(), rule.mx.end(), [&](const auto& pattern) {
            return std::any_of(hosts.begin(), hosts.end(),
                               [&](const auto& host) { return matches(pattern, host); });
        });
        if (by_host ||
            std::find(rule.domains.begin(), rule.domains.end(), domain) != rule.domains.end())
            return &rule;
    }
    return nullptr;
}

const ProviderRule* Shaping::find_group(std::string_view group) const {
    for (const ProviderRule& rule : rules)
        if (group.starts_with(rule.name) &&
            (rule.per_site ? group.substr(rule.name.size()).starts_with(kAtSite)
                           : group.size() == rule.name.size()))
            return &rule;
    return nullptr;
}

ProviderShare share_of(const ProviderRule& rule, const std::string& site) {
    ProviderShare share{&rule, rule.name};
    if (rule.per_site) share.group.append(kAtSite).append(site);
    return share;
}

std::string words_for(const ProviderShare& share) {
    const ProviderRule& rule = *share.rule;
    std::string words;
    const auto add = [&](const std::string& limit) {
        words += (words.empty() ? share.group + ": " : ", ") + limit;
    };
    if (rule.connections_max) add(std::to_string(*rule.connections_max) + " connections");
    if (rule.messages_per_session)
        add(std::to_string(*rule.messages_per_session) + " messages a connection");
    for (const Rate& rate : rule.message_rates) add(to_string(rate));
    for (const Rate& rate : rule.connection_rates) add(to_string(rate) + " new connections");
    return words.empty() ? share.group : words;
}

}  // namespace posthorn
