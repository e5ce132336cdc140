#include "tools/posthorn/owner.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "engine/base/units.h"
#include "engine/net/file_limit.h"
#include "engine/queue/durable_file.h"
#include "engine/queue/rocks_store.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/plan_builder.h"
#include "tools/posthorn/remote.h"
#include "tools/posthorn/request_server.h"
#include "tools/posthorn/send.h"
#include "tools/posthorn/token_keys_file.h"

namespace posthorn {

namespace {

constexpr std::uint64_t kFilesBesideConnections = 512;  // the store's, threads', name servers'

constexpr std::size_t kCaFileBytesMax = 16u << 20;

Now read_clocks() {
    const auto steady = std::chrono::steady_clock::now().time_since_epoch();
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {Instant(std::chrono::duration_cast<Duration>(steady)),
            WallTime(std::chrono::duration_cast<Duration>(wall))};
}

}  // namespace

Owner::Owner(std::unique_ptr<Store> store, std::string data_directory, const Config& config)
    : store_(std::move(store)), context_{*store_, std::move(data_directory),
                                         config,  read_clocks,
                                         nullptr, nullptr,
                                         nullptr, [this] { return signals_ > 0; }} {}

Owner::~Owner() = default;

Result<std::unique_ptr<Owner>> Owner::open(const std::string& data_directory,
                                           const Config& config) {
    RocksOptions options;
    options.durability = config.durability;
    auto store = open_rocks_store(data_directory, options);
    if (!store) return store.error();
    return std::unique_ptr<Owner>(new Owner(std::move(store).value(), data_directory, config));
}

Status Owner::start_runtime() {
    Config& config = context_.config;
    RETURN_IF_ERROR(config.complete(config.ehlo.empty() ? fully_qualified_host_name() : "",
                                    std::thread::hardware_concurrency()));
    const std::uint64_t wanted = config.limits.connections_max + kFilesBesideConnections;
    if (const std::uint64_t files = raise_open_file_limit(wanted); files < wanted) {
        config.limits.connections_max = static_cast<std::uint32_t>(
            files > 2 * kFilesBesideConnections ? files - kFilesBesideConnections : files / 2);
        remark("at most " + with_separators(config.limits.connections_max) +
               " connections: the limit of open files is " + with_separators(files));
    }
    auto keys = TokenKeys::load_or_create(token_keys_file(context_.directory));
    if (!keys) return keys.error();
    RuntimeOptions options;
    options.limits = config.limits;
    options.sender = config.sender;
    options.sources = config.sources;
    options.shaping = config.shaping;
    options.senders = config.senders;
    if (!config.ca_file.empty()) {
        auto pem = read_small_file(config.ca_file, kCaFileBytesMax);
        if (!pem) return Error{ErrorKind::kInvalid, "tls.ca_file: " + pem.error().message};
        options.trust_pem = std::move(*pem);
    }
    options.dns_servers = config.dns_servers;
    options.dns_trust = config.dns_trust;
    options.mta_sts = config.mta_sts;
    options.mta_sts_port = config.mta_sts_port;
    options.seed = std::random_device{}();
    options.directory = context_.directory;
    options.free_disk_percent_min = config.min_free_disk_percent;
    runtime_ = std::make_unique<Runtime>(
        std::move(options), *store_, Classifier::with_default_rules(),
        plan_builder(*store_, std::make_shared<const TokenKeys>(std::move(*keys)), config));
    runtime_->on_view([this](const RuntimeView& view) { views_.publish(view); });
    RETURN_IF_ERROR(runtime_->prepare());
    if (const JournalRecovery found = runtime_->recovery(); found.uncertain > 0)
        remark(with_separators(found.uncertain) +
               " recipients were in flight when the last process ended; they may have the message");
    context_.runtime = runtime_.get();
    context_.views = &views_;
    context_.locks = &locks_;
    return {};
}

CommandResult Owner::run(const Work& work, Lasts lasts) {
    if (const Status started = start_runtime(); !started) return failed(started.error());
    auto server = RequestServer::start(
        context_.directory + std::string(kControlSocketName),
        [this](std::string_view request, LineSink& sink) { return serve_request(request, sink); },
        [this] { signalled(); });
    if (!server) return failed(server.error());

    CommandResult result;
    ++sendings_;
    std::thread worker([&] {
        result = work(context_);
        if (lasts == Lasts::kEndWithWork) sending_ended();
    });
    const Status ran = runtime_->run();
    views_.end();
    worker.join();
    server->reset();
    return ran ? result : failed(ran.error());
}

CommandResult Owner::serve_request(std::string_view text, LineSink& sink) {
    const nlohmann::json request = parse_json_object(text);
    if (!request.is_object()) return invalid_input("a request is one JSON object on one line");
    if (text_field(request, "command") != "send") return run_command(context_, request, sink);
    ++sendings_;
    const CommandResult result = send_campaign(context_, request, sink);
    sending_ended();
    return result;
}

void Owner::sending_ended() {
    if (--sendings_ == 0) runtime_->stop();
}

void Owner::signalled() {
    if (++signals_ == 1)
        runtime_->stop();
    else
        runtime_->abort();
}

}  // namespace posthorn
