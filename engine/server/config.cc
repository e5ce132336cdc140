#include "engine/server/config.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/mail/address.h"
#include "engine/mail/ip_address.h"
#include "engine/server/config_reader.h"
#include "engine/server/json_tree.h"

namespace posthorn {

namespace {

// A name to greet with: of DNS, with at least two labels, in lower case and A-labels.
std::optional<std::string> host_name(ConfigObject& object, std::string_view key) {
    const std::optional<std::string> text = object.text(key);
    if (!text) return std::nullopt;
    std::string name;
    const AddressFault fault = parse_domain(*text, name);
    if (fault == AddressFault::kNone) return name;
    object.error(*object.any(key), key, "bad_address",
                 "'" + *text + "' is not a host name: " + std::string(reason(fault)),
                 "write it in full, like mta1.example.com");
    return std::nullopt;
}

// "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53".
bool is_server_address(std::string_view text) {
    std::string_view address = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return false;
        address = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!port.empty() && !port.starts_with(':')) return false;
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        address = text.substr(0, text.find(':'));
        port = text.substr(text.find(':'));
    }
    if (!port.empty()) {
        unsigned number = 0;
        port.remove_prefix(1);
        const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (fault != std::errc() || end != port.data() + port.size()) return false;
        if (number == 0 || number > 65535) return false;
    }
    return IpAddress::parse(address).has_value();
}

void read_dns(ConfigObject dns, Config& config) {
    if (const std::vector<JsonTree>* servers = dns.array("servers")) {
        for (const JsonTree& server : *servers) {
            if (server.kind == JsonTree::Kind::kString && is_server_address(server.text))
                config.dns_servers.push_back(server.text);
            else
                dns.error(server, "servers", "bad_address",
                          "'" + server.text + "' is not the address of a name server",
                          "write 192.0.2.1:53");
        }
    }
    if (auto trusted = dns.boolean("trusted"))
        config.dns_trust = *trusted ? DnsTrust::kAlways : DnsTrust::kNever;
    DeliveryLimits& limits = config.limits;
    if (auto after = dns.duration("confirm_after", Duration(0))) limits.dns_confirm_after = *after;
    if (auto retry = dns.duration("retry", Duration(1))) limits.dns_retry_first = *retry;
    limits.dns_retry_max = std::max(limits.dns_retry_max, limits.dns_retry_first);
    dns.check_unknown();
}

void read_smtp(ConfigObject smtp, Config& config) {
    if (auto port = smtp.integer("port", 1, 65535))
        config.limits.port = static_cast<std::uint16_t>(*port);
    if (auto allow = smtp.boolean("allow_private_addresses"))
        config.limits.allow_private_addresses = *allow;
    smtp.check_unknown();
}

void read_tls(ConfigObject tls, Config& config) {
    if (auto mode = tls.choice("mode", {"off", "opportunistic", "required", "verify"}))
        config.limits.tls = *parse_tls_mode(*mode);
    if (auto file = tls.text("ca_file")) config.ca_file = *file;
    if (auto sts = tls.boolean("mta_sts")) config.mta_sts = *sts;
    if (auto port = tls.integer("mta_sts_port", 1, 65535))
        config.mta_sts_port = static_cast<std::uint16_t>(*port);
    if (auto dane = tls.boolean("dane"); dane && !*dane) config.dns_trust = DnsTrust::kNever;
    tls.check_unknown();
}

void read_source(ConfigObject source, Config& config) {
    Source result;
    if (auto name = source.text("name")) result.name = *name;
    if (auto ehlo = host_name(source, "ehlo")) result.ehlo = *ehlo;
    if (auto text = source.text("address")) {
        result.address = IpAddress::parse(*text);
        if (!result.address)
            source.error(*source.any("address"), "address", "bad_address",
                         "'" + *text + "' is not an IP address", "write 192.0.2.10 or 2001:db8::1");
    }
    source.check_unknown();
    const auto same = [&](const Source& other) { return other.name == result.name; };
    if (source.any("name") == nullptr || result.name.empty())
        source.errors().push_back({source.path_of("name"), "required", "a source needs a name", "",
                                   source.place().line, source.place().column});
    else if (std::any_of(config.sources.begin(), config.sources.end(), same))
        source.error(*source.any("name"), "name", "conflict",
                     "two sources are named '" + result.name + "'", "");
    config.sources.push_back(std::move(result));
}

void read_sources(ConfigObject& root, Config& config) {
    const std::vector<JsonTree>* sources = root.array("sources");
    if (sources == nullptr) return;
    constexpr std::size_t kSourcesMax = 4096;
    if (sources->size() > kSourcesMax) {
        root.error(*root.any("sources"), "sources", "range", "at most 4096 sources", "");
        return;
    }
    for (std::size_t i = 0; i < sources->size(); ++i) {
        const JsonTree& source = (*sources)[i];
        const std::string path = "sources/" + std::to_string(i);
        if (source.kind == JsonTree::Kind::kObject)
            read_source(ConfigObject(source, root.path_of(path), root.errors()), config);
        else
            root.error(source, path, "type", "a source must be an object", "");
    }
}

void read_limits(ConfigObject object, Config& config) {
    using std::chrono::milliseconds;
    DeliveryLimits& limits = config.limits;
    const auto integer = [&](std::string_view key, std::uint32_t& limit, std::uint32_t high) {
        if (auto value = object.integer(key, 1, high)) limit = *value;
    };
    const auto duration = [&](std::string_view key, Duration& limit) {
        if (auto value = object.duration(key, milliseconds(1))) limit = *value;
    };
    integer("site_connections_start", limits.site_connections_start, 1'000'000);
    integer("site_connections_max", limits.site_connections_max, 1'000'000);
    integer("messages_per_session", limits.messages_per_session_max, 1'000'000);
    integer("lease_recipients_max", limits.lease_recipients_max, 1'000);
    integer("in_flight_max", limits.in_flight_max, 1'000'000);
    integer("rows_ahead_max", limits.rows_ahead_max, 10'000'000);
    duration("idle_session", limits.idle_session);
    duration("site_retry", limits.site_retry_first);
    duration("site_retry_max", limits.site_retry_max);
    duration("connect_timeout", config.sender.connect_timeout);
    limits.site_connections_start =
        std::min(limits.site_connections_start, limits.site_connections_max);
    limits.lease_recipients_start =
        std::min(limits.lease_recipients_start, limits.lease_recipients_max);
    limits.site_retry_max = std::max(limits.site_retry_max, limits.site_retry_first);
    object.check_unknown();
}

void read_root(ConfigObject root, Config& config) {
    if (auto ehlo = host_name(root, "ehlo")) config.ehlo = *ehlo;
    if (auto dns = root.object("dns")) read_dns(*dns, config);
    if (auto smtp = root.object("smtp")) read_smtp(*smtp, config);
    if (auto tls = root.object("tls")) read_tls(*tls, config);
    read_sources(root, config);
    if (auto domain = host_name(root, "bounce_domain")) config.bounce_domain = *domain;
    if (auto file = root.text("shaping")) config.shaping_file = *file;
    for (const char* key : {"routes", "retention"}) root.not_carried_out(key);
    if (auto connections = root.integer("connections", 1, 1'000'000))
        config.limits.connections_max = *connections;
    if (auto level = root.choice("durability", {"power", "process", "none"}))
        config.durability = *parse_durability(*level);
    if (auto percent = root.percent("min_free_disk")) config.min_free_disk_percent = *percent;
    if (auto senders = root.integer("senders", 0, 256)) config.senders = *senders;
    if (auto limits = root.object("limits")) read_limits(*limits, config);
    root.any("$schema");
    root.check_unknown();
}

}  // namespace

LoadedConfig read_config(std::string_view text) {
    LoadedConfig loaded;
    read_object(text, "posthorn.json", loaded.errors,
                [&](ConfigObject root) { read_root(std::move(root), loaded.config); });
    return loaded;
}

Status Config::complete(std::string_view host_name, std::uint32_t cores) {
    // Beside the senders, the scheduler's and the journal's threads want a core.
    if (senders == 0) senders = std::max(1u, cores / 2);
    if (sources.empty()) sources.push_back({"default", std::nullopt, ""});
    if (ehlo.empty()) ehlo = host_name;
    for (Source& source : sources) {
        if (source.ehlo.empty()) source.ehlo = ehlo;
        if (source.ehlo.empty())
            return Error{ErrorKind::kInvalid,
                         "this host has no fully qualified name to greet other servers with: set "
                         "\"ehlo\": \"mta1.example.com\" in posthorn.json to the name that its "
                         "address resolves to"};
    }
    return {};
}

std::string to_text(const std::vector<ConfigError>& errors, std::string_view file) {
    std::string text;
    for (const ConfigError& error : errors) {
        text.append(file).append(":").append(std::to_string(error.line));
        text.append(":").append(std::to_string(error.column)).append(": error ");
        text.append(error.code).append(": ").append(error.message).append("\n");
        if (!error.hint.empty()) text.append("    ").append(error.hint).append("\n");
    }
    return text;
}

std::string fully_qualified_host_name() {
    std::array<char, 256> own{};
    if (gethostname(own.data(), own.size() - 1) != 0) return "";
    addrinfo hints{};
    hints.ai_flags = AI_CANONNAME;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::string name = own.data();
    if (getaddrinfo(own.data(), nullptr, &hints, &found) == 0 && found != nullptr) {
        if (found->ai_canonname != nullptr) name = found->ai_canonname;
        freeaddrinfo(found);
    }
    std::string domain;
    if (parse_domain(name, domain) != AddressFault::kNone) return "";
    return domain.starts_with("localhost.") ? "" : domain;
}

}  // namespace posthorn
