// Time and allocations of each piece of a message's path, for one message, recipient or reply.
#include <benchmark/benchmark.h>

#include "bench/allocation_count.h"
#include "bench/hot_paths.h"

namespace posthorn {
namespace {

void measure(benchmark::State& state, const HotPath& path) {
    std::uint64_t allocations = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto work = path.prepare();
        const std::uint64_t before = allocation_count();
        state.ResumeTiming();
        work->run();
        state.PauseTiming();
        allocations += allocation_count() - before;
        work.reset();
        state.ResumeTiming();
    }
    const auto operations =
        static_cast<double>(state.iterations()) * static_cast<double>(path.operations);
    state.counters["allocations"] = static_cast<double>(allocations) / operations;
    state.counters["each"] =
        benchmark::Counter(operations, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace
}  // namespace posthorn

int main(int argc, char** argv) {
    const std::vector<posthorn::HotPath> paths = posthorn::hot_paths();
    for (const posthorn::HotPath& path : paths)
        benchmark::RegisterBenchmark(path.name, posthorn::measure, path)
            ->Unit(benchmark::kMicrosecond)
            ->Iterations(20);  // making ready takes longer than the work
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
