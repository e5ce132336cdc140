// What each source has used of what each provider takes: messages and new connections over several
// windows at once, and open connections. Reserved at the lease and given back when unused. Kept
// across restarts through the state family, so that the running hour and day still hold.
//
//   state/shaping/GROUP 0 SOURCE 0 kind 0 window := RateWindow::stored
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/rate_window.h"
#include "engine/delivery/messages.h"
#include "engine/delivery/shaping.h"

namespace posthorn {

inline constexpr std::string_view kShapingKind = "shaping";

class ProviderLimits {
  public:
    ProviderLimits() : shaping_(std::make_shared<const Shaping>()) {}
    explicit ProviderLimits(std::shared_ptr<const Shaping> shaping)
        : shaping_(std::move(shaping)) {}

    const Shaping& shaping() const { return *shaping_; }

    // ---- Messages. source: its name. The share's rule is one of shaping().
    std::uint64_t messages_allowed(const ProviderShare& share, const std::string& source,
                                   Instant now);
    Instant next_message(const ProviderShare& share, const std::string& source, Instant now);
    void take_messages(const ProviderShare& share, const std::string& source, std::uint64_t count,
                       Instant now);
    void give_back_message(const ProviderShare& share, const std::string& source, Instant taken,
                           Instant now);

    // ---- Connections. The time at which one may be opened: now if it is not later.
    bool has_room(const ProviderShare& share, const std::string& source) const;
    Instant next_connection(const ProviderShare& share, const std::string& source, Instant now);
    void connection_opened(const ProviderShare& share, const std::string& source, Instant now);
    void connection_closed(const ProviderShare& share, const std::string& source);

    // Records of all that has counted since, to be written with or before the leases that counted.
    std::vector<PutState> take_changes(Now now);

    // At start, from the store, before anything is counted. False: it limits nothing any more, and
    // need not be kept.
    bool restore(std::string_view key, std::string_view stored, Now now);

  private:
    struct Usage {
        std::uint32_t connections = 0;
        std::vector<RateWindow> messages;
        std::vector<RateWindow> sessions;
        bool changed = false;
    };
    using Key = std::pair<std::string, std::string>;  // group, source

    Usage& usage(const ProviderShare& share, const std::string& source);

    std::shared_ptr<const Shaping> shaping_;
    std::map<Key, Usage> usages_;
    std::vector<Key> changed_;
};

}  // namespace posthorn
