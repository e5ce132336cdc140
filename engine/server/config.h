// posthorn.json: how this host delivers, for every campaign. JSON with comments; all keys optional;
// what is wrong is reported all at once with line and column, unknown keys with the nearest name,
// and keys that a release does not carry out are errors, never ignored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/delivery/limits.h"
#include "engine/delivery/sender.h"
#include "engine/delivery/shaping.h"
#include "engine/net/dns_channel.h"
#include "engine/queue/store.h"

namespace posthorn {

struct Config {
    std::string ehlo;                            // empty: the host's own name, see complete()
    std::vector<std::string> dns_servers;        // "127.0.0.1:5300"; empty: the system's
    std::vector<Source> sources;                 // empty until complete() when the file names none
    DnsTrust dns_trust = DnsTrust::kOnThisHost;  // kNever: no DANE
    bool mta_sts = true;
    std::uint16_t mta_sts_port = 443;
    std::string bounce_domain;  // empty: return paths are the From addresses
    Durability durability = Durability::kPower;
    std::string ca_file;       // authorities to trust; empty: the system's
    std::string shaping_file;  // as written, from where posthorn.json lies; empty: none
    std::shared_ptr<const Shaping> shaping = std::make_shared<const Shaping>();  // what it says
    double min_free_disk_percent = 5;
    std::uint32_t senders = 0;  // 0 until complete(): from the number of cores
    DeliveryLimits limits;
    SenderOptions sender;

    // Fills in what depends on the host: its fully qualified name (empty when it has none) and its
    // number of cores. An error when a name to greet with is missing.
    Status complete(std::string_view host_name, std::uint32_t cores);
};

struct ConfigError {
    std::string path;  // JSON pointer
    std::string code;  // json_syntax unknown_field type range enum unsupported bad_duration
                       // bad_address
    std::string message;
    std::string hint;  // may be empty
    std::uint32_t line = 0, column = 0;

    friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

struct LoadedConfig {
    Config config;  // to be used only when there are no errors
    std::vector<ConfigError> errors;
};

LoadedConfig read_config(std::string_view text);

// "posthorn.json:3:5: error unknown_field: …", the hint below it, one fault after the other.
std::string to_text(const std::vector<ConfigError>& errors, std::string_view file);

// The name under which this host is known, with its domain: gethostname, then the resolver. Empty
// when it has no such name ("localhost" is none).
std::string fully_qualified_host_name();

}  // namespace posthorn
