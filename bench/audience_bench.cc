// What one row of a list costs from the file into the store, in CPU of the whole process: reading,
// parsing, exclusion, segment, rank, sorting, merge, ingestion. `plain` is a list alone, `full`
// adds a segment that half of the rows meet, an exclude list of a tenth of them, a domain pattern
// and a priority column. Lists and store lie in a directory under the working directory, made and
// removed.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "campaigns/audience_import_sink.h"
#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/queue/rocks_store.h"

namespace posthorn {
namespace {

constexpr const char* kDirectory = "audience-bench-data";
constexpr std::uint64_t kRowsPerStep = 4096;
const char* const kCities[] = {"Graz", "Vienna", "Linz", "Salzburg", "Springfield"};
const char* const kNames[] = {"Ann", "Bob", "Carla", "Dieter", "Eve"};

std::string path_of(const char* name) { return std::string(kDirectory) + "/" + name; }

void write_lists(std::uint64_t rows) {
    std::filesystem::remove_all(kDirectory);
    std::filesystem::create_directories(kDirectory);
    std::ofstream list(path_of("list.csv")), left_out(path_of("unsubscribed.csv"));
    list << "email,first_name,plan,city,score\n";
    left_out << "email\n";
    Random random(1);
    for (std::uint64_t i = 0; i < rows; ++i) {
        // Half of a real list is at a handful of providers.
        const std::uint64_t domain =
            random.chance(0.5) ? random.below(5) : random.below(rows / 10 + 1);
        const std::string address = "first.last" + std::to_string(i) + "@mail-domain-" +
                                    std::to_string(domain) + ".example";
        list << address << ',' << kNames[i % 5] << ',' << (random.chance(0.5) ? "pro" : "free")
             << ',' << kCities[random.below(5)] << ',' << random.below(1000) << '\n';
        if (random.chance(0.1)) left_out << address << '\n';
    }
}

Campaign campaign_of(bool full) {
    Campaign campaign;
    campaign.recipients.file = path_of("list.csv");
    if (!full) return campaign;
    campaign.recipients.priority = "score";
    campaign.segment =
        "vars.plan == 'pro' and domain not in ['gmail.com', 'aol.com'] and vars.score >= 0";
    campaign.exclude.lists.push_back({path_of("unsubscribed.csv"), {}, {}});
    campaign.exclude.domains.emplace_back("mail-domain-77.example");
    return campaign;
}

void import_list(benchmark::State& state, bool full) {
    const auto rows = static_cast<std::uint64_t>(state.range(0));
    write_lists(rows);
    const Campaign campaign = campaign_of(full);
    std::uint64_t recipients = 0;
    for (auto _ : state) {
        std::filesystem::remove_all(path_of("store"));
        auto store = open_rocks_store(path_of("store"));
        CHECK(store.has_value());
        ImportOptions options;
        options.directory = path_of("import");
        options.ranked = full;
        auto import = AudienceImport::open(**store, 1, options);
        CHECK(import.has_value());
        AudienceIntake intake(campaign, {});
        AudienceImportSink sink(**import);
        while (intake.read(sink, kRowsPerStep) == AudienceIntake::State::kReading)
            if ((*import)->run_full())
                CHECK((*import)->checkpoint(intake.position()->encode()).has_value());
        CHECK(intake.state() == AudienceIntake::State::kDone);
        CHECK((*import)->checkpoint(intake.position()->encode()).has_value());
        const auto imported = (*import)->finish({});
        CHECK(imported && *imported);
        CHECK(intake.figures().rows == rows);
        recipients = (*imported)->recipients;
    }
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    state.counters["recipients"] = static_cast<double>(recipients);
    state.counters["peak_rss_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;
    state.counters["s/row"] = benchmark::Counter(
        static_cast<double>(rows),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
    std::filesystem::remove_all(kDirectory);
}

BENCHMARK_CAPTURE(import_list, plain, false)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(import_list, full, true)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace posthorn
