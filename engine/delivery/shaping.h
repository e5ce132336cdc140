// How much mail the large providers take, as rules that an operator can read and change: which mail
// hosts are a provider's, and what it takes from one source. Immutable; read from a file by
// engine/server/shaping_file.h, enforced by provider_limits.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/units.h"

namespace posthorn {

struct ProviderRule {
    std::string name;                  // for status and explain
    bool per_site = false;             // each of its sites is a system of its own
    std::vector<std::string> mx;       // "mx1.a.test", "*.a.test": names under a.test, and itself
    std::vector<std::string> domains;  // recipient domains, A-labels
    std::optional<std::uint32_t> connections_max;
    std::optional<std::uint32_t> messages_per_session;
    std::vector<Rate> message_rates;     // recipients, each over its own window
    std::vector<Rate> connection_rates;  // new connections
};

// Who shares a rule's limits: every site of the provider, or one site alone. Each source has the
// limits for itself.
struct ProviderShare {
    const ProviderRule* rule = nullptr;
    std::string group;  // the rule's name, and the site's if it is alone
};

struct Shaping {
    std::vector<ProviderRule> rules;  // the first that matches is the site's

    // hosts: names of mail hosts in lower case; domain: the recipients'.
    const ProviderRule* find(const std::vector<std::string>& hosts, std::string_view domain) const;

    // The rule of a group that an earlier process named; nullptr if there is none any more.
    const ProviderRule* find_group(std::string_view group) const;
};

ProviderShare share_of(const ProviderRule& rule, const std::string& site);

// "google: 5 connections, 50 messages a connection, 10/s"
std::string words_for(const ProviderShare& share);

}  // namespace posthorn
