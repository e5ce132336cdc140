// What one row of a list costs on its way into the store: the run buffer, its sorting and spilling,
// the merge, the sorted files, the ingestion. A directory under --benchmark's working directory is
// made and removed.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/queue/audience_import.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/rocks_store.h"

namespace posthorn {
namespace {

constexpr const char* kDirectory = "import-bench-data";

double peak_rss_megabytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

void add_row(AudienceImport& import, Random& random, std::uint64_t number, std::uint64_t domains) {
    static std::string domain, local, row;
    // Half of a real list is at a handful of providers.
    const std::uint64_t which = random.chance(0.5) ? random.below(5) : random.below(domains);
    domain = "mail-domain-" + std::to_string(which) + ".example";
    local = "first.last" + std::to_string(random.below(1'000'000'000));
    row.clear();
    AudienceRowWriter writer(row, local + "@" + domain, "First Last");
    writer.text("Vienna");
    writer.text(std::to_string(number));
    CHECK(import.add(domain, local, row, number));
}

void import_rows(benchmark::State& state) {
    const auto rows = static_cast<std::uint64_t>(state.range(0));
    for (auto _ : state) {
        std::filesystem::remove_all(kDirectory);
        auto store = open_rocks_store(std::string(kDirectory) + "/store");
        CHECK(store.has_value());
        ImportOptions options;
        options.directory = std::string(kDirectory) + "/import";
        auto import = AudienceImport::open(**store, 1, options);
        CHECK(import.has_value());
        Random random(1);
        for (std::uint64_t i = 0; i < rows; ++i) {
            add_row(**import, random, i, rows / 10 + 1);
            if ((*import)->run_full()) CHECK((*import)->checkpoint("position"));
        }
        CHECK((*import)->checkpoint("position"));
        const auto imported = (*import)->finish({});
        CHECK(imported && *imported);
        state.counters["bytes/row"] =
            static_cast<double>((*store)->bytes_on_disk()) / static_cast<double>(rows);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["peak_rss_MB"] = peak_rss_megabytes();
    std::filesystem::remove_all(kDirectory);
}
BENCHMARK(import_rows)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace posthorn
