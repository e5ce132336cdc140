// posthorn-scale: millions of recipients on virtual time, and what the scheduler needs for them.
#include <malloc.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "tests/sim/scale_world.h"

namespace {

// In front of every allocation: whose it is, and how large.
struct alignas(16) Header {
    std::size_t bytes;
    bool of_scheduler;
};

bool scheduler_works = false;
std::size_t owned = 0, owned_peak = 0;

}  // namespace

void* operator new(std::size_t bytes) {
    void* raw = std::malloc(bytes + sizeof(Header));
    if (raw == nullptr) std::abort();
    auto* header = static_cast<Header*>(raw);
    *header = {bytes, scheduler_works};
    if (scheduler_works) owned_peak = std::max(owned_peak, owned += bytes);
    return header + 1;
}

void operator delete(void* pointer) noexcept {
    if (pointer == nullptr) return;
    Header* header = static_cast<Header*>(pointer) - 1;
    if (header->of_scheduler) owned -= header->bytes;
    std::free(header);
}

void operator delete(void* pointer, std::size_t) noexcept { operator delete(pointer); }

namespace posthorn::sim {

void own_allocations(bool by_scheduler) { scheduler_works = by_scheduler; }
std::size_t peak_owned_bytes() { return owned_peak; }

namespace {

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int run(const ScaleOptions& options) {
    const auto began = std::chrono::steady_clock::now();
    ScaleWorld world(options);
    const double made = cpu_seconds();
    const ScaleReport report = world.run();
    const double cpu = cpu_seconds() - made;
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto in_hours = [](Duration d) {
        return std::chrono::duration<double, std::ratio<3600>>(d).count();
    };
    const auto over = [&](const Bound& bound) {
        return 100.0 * (in_hours(report.makespan) / in_hours(bound.needed) - 1);
    };
    const auto n = static_cast<double>(options.recipients);
    std::printf("%llu recipients, %u domains, seed %llu\n",
                static_cast<unsigned long long>(options.recipients), options.domains,
                static_cast<unsigned long long>(options.seed));
    std::printf("makespan %.3f h\n", in_hours(report.makespan));
    for (const auto& [bound, of] :
         {std::pair(&report.first_attempts, "first attempts alone"),
          std::pair(&report.all_attempts, "with the second attempts that receivers asked for")})
        std::printf("lower bound %.3f h (%s, %s): %.2f %% above it\n", in_hours(bound->needed),
                    bound->by.c_str(), of, over(*bound));
    std::printf("%llu delivered, %llu bounced, %llu expired, %llu unsettled, %llu deferrals\n",
                static_cast<unsigned long long>(report.delivered),
                static_cast<unsigned long long>(report.bounced),
                static_cast<unsigned long long>(report.expired),
                static_cast<unsigned long long>(report.unsettled),
                static_cast<unsigned long long>(report.deferrals));
    std::printf("%llu leases, %llu recipients returned unattempted, at most %u sessions\n",
                static_cast<unsigned long long>(report.leases),
                static_cast<unsigned long long>(report.returned), report.peak_sessions);
    std::printf(
        "scheduler's memory %.1f MB at its peak; %.2f us of CPU a recipient; took %.1f s, "
        "%.1f s of CPU\n",
        static_cast<double>(report.peak_bytes) / 1e6, cpu / n * 1e6, wall, cpu);
    return report.unsettled == 0 && over(report.all_attempts) <= 3.0 ? 0 : 1;
}

}  // namespace

}  // namespace posthorn::sim

int main(int argc, char** argv) {
    posthorn::sim::ScaleOptions options;
    CLI::App app("Runs the scheduler against an audience of millions on virtual time.");
    app.add_option("--recipients", options.recipients, "in all")->check(CLI::PositiveNumber);
    app.add_option("--domains", options.domains, "in all, at least 20")
        ->check(CLI::Range(20u, 10'000'000u));
    app.add_option("--seed", options.seed, "of the world");
    CLI11_PARSE(app, argc, argv);
    return posthorn::sim::run(options);
}
