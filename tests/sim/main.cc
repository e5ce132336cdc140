// posthorn-sim: runs invented worlds and says which seed broke which promise.
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "tests/sim/world.h"

namespace posthorn::sim {

namespace {

struct Options {
    std::optional<std::uint64_t> seed;
    std::string seeds;
    std::string seeds_file;
    double minutes = 0;
    std::uint64_t fresh = 0;
    bool trace = false;
    bool coverage = false;
    bool until_failure = false;
    bool twice = false;
    unsigned jobs = 1;
};

std::string output_of(const char* command) {
    std::string out;
    FILE* pipe = popen(command, "r");
    if (pipe == nullptr) return out;
    char buffer[128];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) out += buffer;
    pclose(pipe);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

// The commit of the sources, with a mark if they were changed since.
std::string commit() {
    const std::string found =
        output_of("git -C '" POSTHORN_SOURCE_DIR "' describe --always --dirty 2>/dev/null");
    return found.empty() ? "unknown" : found;
}

thread_local char dying_words[96];

// A failed CHECK and a sanitizer's finding end the program: the seed must be known even then.
void say_seed(int signal) {
    (void)!write(STDERR_FILENO, dying_words, std::char_traits<char>::length(dying_words));
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

struct Totals {
    std::mutex mutex;
    std::uint64_t seeds = 0, failed = 0, crashed = 0, crashes = 0;
    std::vector<std::uint64_t> attempts;
    double virtual_hours = 0;
    Coverage coverage;
};

class Runner {
  public:
    explicit Runner(const Options& options)
        : options_(options),
          rules_(Classifier::with_default_rules()),
          began_(std::chrono::steady_clock::now()) {}

    int run(const std::vector<std::uint64_t>& listed, std::uint64_t first, std::uint64_t last) {
        listed_ = listed;
        first_ = first;
        last_ = last;
        std::vector<std::thread> others;
        for (unsigned i = 1; i < options_.jobs; ++i) others.emplace_back([this] { work(); });
        work();
        for (std::thread& other : others) other.join();
        return summary();
    }

  private:
    std::optional<std::uint64_t> next_seed() {
        if (options_.until_failure && failed_) return std::nullopt;
        if (options_.minutes > 0 && elapsed() > options_.minutes * 60) return std::nullopt;
        const std::uint64_t index = next_++;
        if (index < listed_.size()) return listed_[index];
        const std::uint64_t seed = first_ + (index - listed_.size());
        if (seed > last_ || seed < first_) return std::nullopt;
        return seed;
    }

    void work() {
        while (const auto seed = next_seed()) {
            std::snprintf(dying_words, sizeof dying_words, "\nposthorn-sim: seed %llu\n",
                          static_cast<unsigned long long>(*seed));
            WorldReport report = World(*seed, options_.trace, rules_).run();
            if (options_.twice && World(*seed, false, rules_).run().hash != report.hash)
                report.failures.push_back("the same seed gave another hash of events");
            account(*seed, report);
        }
    }

    void account(std::uint64_t seed, const WorldReport& report) {
        const std::lock_guard lock(totals_.mutex);
        ++totals_.seeds;
        totals_.crashed += report.crashes > 0;
        totals_.crashes += report.crashes;
        totals_.attempts.push_back(report.attempts);
        totals_.virtual_hours +=
            std::chrono::duration<double, std::ratio<3600>>(report.took).count();
        totals_.coverage.add(report.coverage);
        if (options_.seed)
            std::printf(
                "seed %llu: hash %016llx, %u recipients, %llu attempts, %u crashes, %.1f s\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(report.hash),
                report.recipients, static_cast<unsigned long long>(report.attempts), report.crashes,
                std::chrono::duration<double>(report.took).count());
        if (report.failures.empty()) return;
        ++totals_.failed;
        failed_ = true;
        std::printf("seed %llu failed, commit %s\n", static_cast<unsigned long long>(seed),
                    commit().c_str());
        for (const std::string& failure : report.failures) std::printf("  %s\n", failure.c_str());
        std::fflush(stdout);
    }

    int summary() {
        std::sort(totals_.attempts.begin(), totals_.attempts.end());
        const std::uint64_t median =
            totals_.attempts.empty() ? 0 : totals_.attempts[totals_.attempts.size() / 2];
        std::printf(
            "%llu seeds, %llu failed, %llu with a crash, %llu crashes, median of %llu "
            "attempts, %.0f virtual hours, %.1f s\n",
            static_cast<unsigned long long>(totals_.seeds),
            static_cast<unsigned long long>(totals_.failed),
            static_cast<unsigned long long>(totals_.crashed),
            static_cast<unsigned long long>(totals_.crashes),
            static_cast<unsigned long long>(median), totals_.virtual_hours, elapsed());
        bool poor = false;
        if (options_.coverage) {
            for (const auto& [what, times] : totals_.coverage.times())
                std::printf("%10llu %s\n", static_cast<unsigned long long>(times), what.c_str());
            for (const std::string_view what : totals_.coverage.missing()) {
                poor = true;
                std::printf("never: %.*s\n", static_cast<int>(what.size()), what.data());
            }
            poor |= median < 2000 || totals_.crashed * 2 < totals_.seeds;
            if (poor) std::printf("these worlds are too poor to prove anything\n");
        }
        return totals_.failed > 0 || poor ? 1 : 0;
    }

    double elapsed() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    }

    const Options& options_;
    std::shared_ptr<const Classifier> rules_;
    std::chrono::steady_clock::time_point began_;
    std::vector<std::uint64_t> listed_;
    std::uint64_t first_ = 1, last_ = 0;
    std::atomic<std::uint64_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    Totals totals_;
};

// One seed a line; what follows it says what it found.
std::optional<std::vector<std::uint64_t>> seeds_of(const std::string& path) {
    std::ifstream file(path);
    if (!file) return std::nullopt;
    std::vector<std::uint64_t> seeds;
    std::string line;
    while (std::getline(file, line))
        if (!line.empty() && line.front() != '#') seeds.push_back(std::stoull(line));
    return seeds;
}

int run(const Options& options) {
    std::vector<std::uint64_t> listed;
    if (!options.seeds_file.empty()) {
        const auto read = seeds_of(options.seeds_file);
        if (!read) {
            std::fprintf(stderr, "%s: cannot be read\n", options.seeds_file.c_str());
            return 2;
        }
        listed = *read;
    }
    std::uint64_t first = 1, last = 0;
    if (options.seed) {
        first = last = *options.seed;
    } else if (!options.seeds.empty()) {
        unsigned long long from = 0, to = 0;
        if (std::sscanf(options.seeds.c_str(), "%llu..%llu", &from, &to) != 2 || from > to) {
            std::fprintf(stderr, "--seeds: write A..B, like 1..300\n");
            return 2;
        }
        first = from;
        last = to;
    } else if (options.fresh > 0 || options.minutes > 0) {
        // Never the same for two commits, always the same for one.
        first = hash64(output_of("git -C '" POSTHORN_SOURCE_DIR "' rev-parse HEAD 2>/dev/null")) %
                    1'000'000'000'000 +
                1'000'000;
        last = options.minutes > 0 ? UINT64_MAX : first + options.fresh - 1;
        std::printf("fresh seeds from %llu\n", static_cast<unsigned long long>(first));
    }
    for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS}) std::signal(signal, say_seed);
    return Runner(options).run(listed, first, last);
}

}  // namespace

}  // namespace posthorn::sim

int main(int argc, char** argv) {
    posthorn::sim::Options options;
    CLI::App app("Tries Posthorn's engine against invented worlds on virtual time.");
    app.add_option("--seed", options.seed, "one world");
    app.add_option("--seeds", options.seeds, "worlds A..B");
    app.add_option("--seeds-file", options.seeds_file, "worlds listed in a file, one a line");
    app.add_option("--fresh", options.fresh, "so many worlds that depend on the commit");
    app.add_option("--minutes", options.minutes, "fresh worlds for so long");
    app.add_option("--jobs", options.jobs, "worlds at a time");
    app.add_flag("--until-failure", options.until_failure, "stop at the first that fails");
    app.add_flag("--twice", options.twice, "each world twice: its events must be the same");
    app.add_flag("--trace", options.trace, "print every event");
    app.add_flag("--coverage", options.coverage,
                 "print what occurred, and fail if anything never did");
    CLI11_PARSE(app, argc, argv);
    return posthorn::sim::run(options);
}
