// CPU per row of a list: reading alone, and the whole way into an audience (read, parse, encode),
// over 200,000 rows of `email,first_name,plan,city` in a file, as CSV and as NDJSON.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "campaigns/audience_intake.h"
#include "campaigns/list_reader.h"
#include "engine/base/check.h"
#include "engine/base/random.h"

namespace posthorn {
namespace {

constexpr int kRows = 200'000;
const char* const kCities[] = {"Graz", "Vienna", "Linz", "Salzburg", "Springfield"};
const char* const kNames[] = {"Ann", "Bob", "Carla", "Dieter", "Eve"};

// The list's file, removed at the end.
class BenchList {
  public:
    enum class Kind { kPlain, kQuoted, kNdjson };

    explicit BenchList(Kind kind) {
        char name[] = "/tmp/posthorn-list-bench-XXXXXX";
        CHECK(mkstemp(name) >= 0);
        list.file = name;
        list.format = kind == Kind::kNdjson ? ListFormat::kNdjson : ListFormat::kCsv;
        std::ofstream out(name);
        Random random(1);
        if (kind != Kind::kNdjson) out << "email,first_name,plan,city\n";
        for (int i = 0; i < kRows; ++i) {
            const std::string email = "user" + std::to_string(random.below(1'000'000'000)) +
                                      "@domain" + std::to_string(random.below(1000)) + ".test";
            const std::string first_name = kNames[random.below(5)];
            const std::string city = kCities[random.below(5)];
            const std::string plan = random.chance(0.2) ? "pro" : "free";
            if (kind == Kind::kPlain)
                out << email << ',' << first_name << ',' << plan << ',' << city << '\n';
            else if (kind == Kind::kQuoted)
                out << '"' << email << "\",\"" << first_name << "\",\"" << plan << "\",\"" << city
                    << "\"\n";
            else
                out << R"({"email":")" << email << R"(","first_name":")" << first_name
                    << R"(","plan":")" << plan << R"(","city":")" << city << "\"}\n";
        }
    }
    ~BenchList() { std::remove(list.file.c_str()); }

    RecipientList list;
};

class CountingSink final : public AudienceSink {
  public:
    Status add(std::string_view, std::string_view, std::string_view row, std::uint64_t) override {
        bytes += row.size();
        return {};
    }
    std::uint64_t bytes = 0;
};

void report(benchmark::State& state) {
    state.counters["s/row"] = benchmark::Counter(
        kRows, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void read_rows(benchmark::State& state, BenchList::Kind kind) {
    const BenchList bench(kind);
    for (auto _ : state) {
        OpenedList opened = open_list(bench.list);
        ListRow row;
        int rows = 0;
        while (opened.reader->next(row) == ListReader::Step::kRow) ++rows;
        CHECK(rows == kRows);
    }
    report(state);
}

void take_audience(benchmark::State& state, BenchList::Kind kind) {
    const BenchList bench(kind);
    Campaign campaign;
    campaign.recipients = bench.list;
    for (auto _ : state) {
        AudienceIntake intake(campaign, {});
        CountingSink sink;
        intake.read(sink, kRows + 1);
        CHECK(intake.figures().recipients == kRows);
    }
    report(state);
}

BENCHMARK_CAPTURE(read_rows, csv, BenchList::Kind::kPlain)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_rows, csv_quoted, BenchList::Kind::kQuoted)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_rows, ndjson, BenchList::Kind::kNdjson)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(take_audience, csv, BenchList::Kind::kPlain)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(take_audience, csv_quoted, BenchList::Kind::kQuoted)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(take_audience, ndjson, BenchList::Kind::kNdjson)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace posthorn
