// posthorn-sink: the simulated internet. Options in, sockets open, books out at the end.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <uv.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tools/sink/listeners.h"
#include "tools/sink/world.h"

namespace posthorn::sink {
namespace {

constexpr std::uint64_t kLedgerFlushMs = 50;

struct Options {
    std::string smtp = "127.0.0.1:2525";
    std::string dns = "127.0.0.1:5300";
    std::string profile = "perfect";
    double rtt_ms = 0;
    std::string ledger;
    std::string save;
    std::string summary;
    std::string authority;
    std::string ready_file;
    std::uint64_t seed = 1;
};

int complain(const Error& error) {
    std::fprintf(stderr, "posthorn-sink: %s\n", error.message.c_str());
    return error.kind == ErrorKind::kInvalid ? 2 : 1;
}

void add_options(CLI::App& app, Options& options) {
    app.add_option("--smtp", options.smtp,
                   "HOST:PORT of SMTP; all of 127/8 is answered at, port 0 takes a free one")
        ->capture_default_str();
    app.add_option("--dns", options.dns, "HOST:PORT of DNS, UDP and TCP; port 0 takes a free one")
        ->capture_default_str();
    app.add_option("--profile", options.profile,
                   "perfect, realistic, hostile, gmail, outlook, yahoo, or a profile file")
        ->capture_default_str();
    app.add_option("--rtt", options.rtt_ms, "milliseconds of a delay line before each answer")
        ->check(CLI::Range(0.0, 60'000.0));
    app.add_option("--ledger", options.ledger, "write one line of JSON per accepted recipient");
    app.add_option("--save", options.save, "keep accepted messages in this directory");
    app.add_option("--summary", options.summary, "write figures at the end; - is standard output");
    app.add_option("--ca", options.authority, "write the test authority's certificate (PEM)");
    app.add_option("--ready-file", options.ready_file,
                   "write the ready line here too, once all ports are open");
    app.add_option("--seed", options.seed, "of everything that happens by chance")
        ->capture_default_str();
}

// Ten thousand connections need as many files.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Status write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file) return {};
    return Error{ErrorKind::kIo, path + " cannot be written"};
}

Status open_books(World& world, const Options& options) {
    world.rtt = Duration(static_cast<std::int64_t>(options.rtt_ms * 1000));
    world.save_folder = options.save;
    if (!options.save.empty() && mkdir(options.save.c_str(), 0755) != 0 && errno != EEXIST)
        return Error{ErrorKind::kIo, options.save + " cannot be made"};
    if (!options.ledger.empty()) RETURN_IF_ERROR(world.ledger.open(options.ledger));
    if (!options.authority.empty())
        RETURN_IF_ERROR(write_file(options.authority, world.certificates.authority_pem()));
    return {};
}

// A line that scripts and tests wait for. Written under another name first, so that whoever sees
// the file sees it whole.
Status tell_ready(const Options& options, const Endpoint& smtp, std::uint16_t smtp_port,
                  const Endpoint& dns, std::uint16_t dns_port) {
    const std::string line = "ready smtp=" + smtp.host + ":" + std::to_string(smtp_port) +
                             " dns=" + dns.host + ":" + std::to_string(dns_port) + "\n";
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
    if (options.ready_file.empty()) return {};
    const std::string unfinished = options.ready_file + ".new";
    RETURN_IF_ERROR(write_file(unfinished, line));
    if (std::rename(unfinished.c_str(), options.ready_file.c_str()) == 0) return {};
    return Error{ErrorKind::kIo, options.ready_file + " cannot be written"};
}

// Runs until SIGINT or SIGTERM. Ledger lines leave within kLedgerFlushMs: a look that costs nothing
// while nothing is accepted.
void run(uv_loop_t* loop, World& world) {
    uv_timer_t flusher;
    uv_timer_init(loop, &flusher);
    flusher.data = &world.ledger;
    if (world.ledger.is_open()) {
        const auto flush = [](uv_timer_t* timer) { static_cast<Ledger*>(timer->data)->flush(); };
        uv_timer_start(&flusher, flush, kLedgerFlushMs, kLedgerFlushMs);
    }
    uv_signal_t interrupted;
    uv_signal_t terminated;
    const auto stop = [](uv_signal_t* signal, int) { uv_stop(signal->loop); };
    uv_signal_init(loop, &interrupted);
    uv_signal_start(&interrupted, stop, SIGINT);
    uv_signal_init(loop, &terminated);
    uv_signal_start(&terminated, stop, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
}

Status write_summary(const World& world, const std::string& path) {
    if (path.empty()) return {};
    const std::string summary = world.tally.to_json(world.names);
    if (path != "-") return write_file(path, summary);
    std::fputs(summary.c_str(), stdout);
    return {};
}

Status serve(const Options& options) {
    const auto smtp = parse_endpoint(options.smtp);
    if (!smtp) return smtp.error();
    if (!smtp->host.starts_with("127.") && smtp->host != "0.0.0.0")
        return Error{ErrorKind::kInvalid,
                     "--smtp " + options.smtp + ": the sink answers in 127/8 alone; use 127.0.0.1"};
    const auto dns = parse_endpoint(options.dns);
    if (!dns) return dns.error();
    auto profile = load_profile(options.profile);
    if (!profile) return profile.error();
    const Now now = read_clocks();
    auto certificates = Certificates::make(now.wall);
    if (!certificates) return certificates.error();
    auto tls = TlsContext::server();
    if (!tls) return tls.error();

    World world(*std::move(profile), options.seed, now, *std::move(certificates), *std::move(tls));
    RETURN_IF_ERROR(open_books(world, options));
    Zone zone(world.names, world.certificates.key_digest());
    uv_loop_t* const loop = uv_default_loop();
    SmtpListener smtp_listener(world, loop);
    DnsListener dns_listener(zone, loop);
    RETURN_IF_ERROR(smtp_listener.listen(smtp->port));
    RETURN_IF_ERROR(dns_listener.listen(*dns));
    RETURN_IF_ERROR(tell_ready(options, *smtp, smtp_listener.port(), *dns, dns_listener.port()));
    run(loop, world);
    if (world.ledger.is_open()) world.ledger.flush();
    const Status written = write_summary(world, options.summary);
    std::fflush(stdout);
    // Connections end with the process: their handles live in the loop, which is not torn down.
    std::_Exit(written ? 0 : complain(written.error()));
}

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"The simulated internet: receives mail for every domain, reaches nobody."};
    add_options(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    const Status status = serve(options);
    return status ? 0 : complain(status.error());
}

}  // namespace
}  // namespace posthorn::sink

int main(int argc, char** argv) { return posthorn::sink::main(argc, argv); }
