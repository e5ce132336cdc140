// The names of the simulated internet: which profile entry a domain gets, which MX hosts it has,
// and the address in 127/8 of each name, in both directions. A function of profile and seed, apart
// from addresses: where two names in use would share one, the later gets the next free.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/smtp/server_event.h"
#include "tools/sink/profile.h"
#include "tools/sink/traffic.h"

namespace posthorn::sink {

// Names of each kind that are kept; all later ones share one.
inline constexpr std::size_t kNamesMax = 1'000'000;

// What limits are counted by: a provider, or a domain without one.
struct Group {
    std::string name;
    std::uint32_t connections = 0;
    double tokens = -1;  // negative: never used, so full
    Instant filled{};
    Instant penalty_end{};
};

struct Domain {
    std::string name;
    const Entry* entry = nullptr;
    Group* group = nullptr;
    Traffic traffic;
};

struct Host {
    std::string name;
    std::uint32_t address = 0;  // 127.0.0.1 is 0x7f000001
    const Entry* entry = nullptr;
    Group* group = nullptr;
    Traffic traffic;
    std::shared_ptr<const ServerOptions> options;
};

// An address in 127/8 to which Linux lets nobody connect: connect() fails at once with "network is
// unreachable". Every dead MX host has it.
inline constexpr std::uint32_t kDeadAddress = 0x7fffffff;

class Names {
  public:
    Names(const Profile& profile, std::uint64_t seed);

    // Names in any case; what is returned lives as long as this.
    const Entry& entry_for(std::string_view name) const;
    Domain& domain(std::string_view name);
    Host& host(std::string_view name);
    Host& host_at(std::uint32_t address);  // an address without a name is named as it is written
    std::vector<std::string> mx_of(std::string_view lower_name) const;  // in order of preference

    const Host* named_at(std::uint32_t address) const;  // null if no name has the address

    template <class Visit>
    void each_domain(Visit visit) const {
        for (const auto& [name, domain] : domains_) visit(*domain);
    }
    template <class Visit>
    void each_host(Visit visit) const {
        for (const auto& [name, host] : hosts_) visit(*host);
    }

  private:
    struct NameHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const;
    };
    template <class T>
    using ByName = std::unordered_map<std::string, std::unique_ptr<T>, NameHash, std::equal_to<>>;

    const Entry& find_entry(std::string_view lower_name, bool by_share) const;
    std::string_view lowered(std::string_view name);
    Group& group(std::string_view name);
    Host& add_host(std::string_view name, std::uint32_t address, const Entry& entry,
                   std::string_view group_name);
    std::uint32_t free_address(std::string_view name) const;

    const Profile& profile_;
    std::uint64_t seed_;
    std::string lower_;  // of the name being looked up
    ByName<Domain> domains_;
    ByName<Host> hosts_;
    ByName<Group> groups_;
    std::unordered_map<std::uint32_t, Host*> by_address_;
};

std::string address_text(std::uint32_t address);

}  // namespace posthorn::sink
