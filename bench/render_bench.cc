// What a message costs: rendering 10 KB in two parts with ten variables, parsing an address,
// sealing a token. Allocations are counted: in steady state a rendered message makes none.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "bench/allocation_count.h"
#include "campaigns/message.h"
#include "engine/mail/address.h"
#include "engine/mail/encodings.h"
#include "engine/queue/audience_row.h"

namespace posthorn {
namespace {

TokenKeys bench_keys() {
    TokenKey key;
    key.id = 1;
    key.bytes.fill(5);
    return TokenKeys({key});
}

MessageContent bench_content(const char* filler) {
    MessageContent content;
    content.campaign_id = "spring-2026";
    content.from = {"news", "acme.test", "Acme", false};
    content.subject.text = "Hi {{first_name | default: \"there\"}}, news for {{city}}";
    content.physical_address = "Acme, 1 Main St, Springfield, IL 62701, USA";
    content.unsubscribe = {"https://u.acme.test/u/{{unsubscribe_token}}", "unsub@acme.test", true};
    content.columns = {"first_name", "last_name", "city", "plan", "points"};
    std::string html = "<html><body><h1>Dear {{first_name}} {{last_name}}</h1>\n", text;
    const char* variables[] = {"{{city}}", "{{plan}}", "{{points}}"};
    for (int i = 0; i < 3; ++i) {
        for (int k = 0; k < 24; ++k)
            html += std::string("<p style=\"margin:0 0 8px\">") + filler + " and so on</p>\n";
        html += std::string("<a href=\"https://acme.test/?c=") + variables[i] + "\">" +
                variables[i] + "</a>\n";
    }
    for (int k = 0; k < 50; ++k) text += std::string(filler) + ".\n";
    content.html = TemplateSource{html + "</body></html>\n", ""};
    content.text = TemplateSource{"Dear {{first_name}},\n" + text + "{{city}}\n", ""};
    return content;
}

void render(benchmark::State& state, const char* filler, const char* city) {
    const TokenKeys keys = bench_keys();
    const CompiledContent compiled = compile_content(bench_content(filler), &keys);
    std::string row;
    AudienceRowWriter writer(row, "ann.lee@mail17.example.com", "Ann Lee");
    for (const char* value : {"Ann", "Lee", city, "pro", "1250"}) writer.text(value);
    RenderRequest request;
    request.audience_key = "1|mail17.example.com|ann.lee";
    request.row = row;
    RenderedMessage message;
    for (int i = 0; i < 3; ++i)
        if (!compiled.renderer->render(request, message)) std::abort();
    const std::uint64_t before = allocation_count();
    for (auto _ : state) {
        benchmark::DoNotOptimize(compiled.renderer->render(request, message));
        benchmark::ClobberMemory();
    }
    state.counters["allocations"] = benchmark::Counter(
        static_cast<double>(allocation_count() - before), benchmark::Counter::kAvgIterations);
    state.counters["bytes"] = static_cast<double>(message.bytes.size());
    state.SetBytesProcessed(static_cast<std::int64_t>(message.bytes.size()) * state.iterations());
}

void BM_Render7bit(benchmark::State& state) {
    render(state, "Spring is here, and with it our offers for the garden", "Graz");
}
void BM_RenderQuotedPrintable(benchmark::State& state) {
    render(state, "Frühling ist da, und mit ihm Angebote für den Garten", "Zürich");
}
void BM_RenderFallsBackFrom7bit(benchmark::State& state) {
    render(state, "Spring is here, and with it our offers for the garden", "Zürich");
}
void BM_RenderBase64(benchmark::State& state) {
    render(state, "春が来ました。お庭のための特別なご案内をお届けします。", "東京");
}
BENCHMARK(BM_Render7bit);
BENCHMARK(BM_RenderQuotedPrintable);
BENCHMARK(BM_RenderFallsBackFrom7bit);
BENCHMARK(BM_RenderBase64);

void BM_ParseAddress(benchmark::State& state) {
    Address address;
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_address("Ann.Lee+tag@Mail17.Example.com", address));
}
BENCHMARK(BM_ParseAddress);

void BM_ParseMailbox(benchmark::State& state) {
    Address address;
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_mailbox("Ann Lee <ann.lee@mail17.example.com>", address));
}
BENCHMARK(BM_ParseMailbox);

void BM_ParseInternationalAddress(benchmark::State& state) {
    Address address;
    for (auto _ : state) benchmark::DoNotOptimize(parse_address("ann@bücher.example", address));
}
BENCHMARK(BM_ParseInternationalAddress);

void BM_SealToken(benchmark::State& state) {
    const TokenSealer sealer = bench_keys().sealer(TokenPurpose::kUnsubscribe, "spring-2026");
    std::string out;
    for (auto _ : state) {
        out.clear();
        sealer.append(out, "ann.lee@mail17.example.com");
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(BM_SealToken);

void BM_CompileContent(benchmark::State& state) {
    const MessageContent content =
        bench_content("Spring is here, and with it our offers for the garden");
    for (auto _ : state) benchmark::DoNotOptimize(compile_content(content, nullptr));
}
BENCHMARK(BM_CompileContent);

}  // namespace
}  // namespace posthorn
