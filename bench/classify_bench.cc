// Replies classified per second on one core: documented texts with fresh addresses, hosts and
// queue ids each time, accepted mail, words in random order (the worst for cached matching), and
// the cost of loading the rules.
#include <benchmark/benchmark.h>

#include <algorithm>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/mail/classifier.h"
#include "engine/mail/reply_line.h"
#include "engine/mail/reply_text.h"

namespace posthorn {
namespace {

constexpr std::size_t kReplies = 20000;

std::vector<std::string> documented_lines() {
    std::ifstream file(std::string(POSTHORN_SOURCE_DIR) + "/tests/mail/replies_heldout.tsv");
    std::vector<std::string> lines;
    for (std::string row; std::getline(file, row);)
        if (row.size() > 3 && (row[0] == '4' || row[0] == '5'))
            lines.push_back(row.substr(0, row.find('\t')));
    CHECK(!lines.empty());
    return lines;
}

std::vector<Reply> real_life_replies() {
    const std::vector<std::string> lines = documented_lines();
    Random random(1);
    std::vector<Reply> replies;
    for (std::size_t i = 0; i < kReplies; ++i) {
        Reply reply = parse_reply_line(lines[random.below(lines.size())]);
        reply.text += " <user" + std::to_string(random.next() % 1000000) + "@b.test> mx" +
                      std::to_string(random.next() % 100) + ".b.test " +
                      std::to_string(random.next());
        replies.push_back(std::move(reply));
    }
    return replies;
}

std::vector<Reply> shuffled_replies() {
    std::vector<std::string> words;
    for (const std::string& line : documented_lines()) {
        FoldedReply folded;
        fold_reply(line, folded);
        for (std::size_t at = 0; at < folded.text.size();) {
            const std::size_t end = std::min(folded.text.find(' ', at), folded.text.size());
            words.push_back(folded.text.substr(at, end - at));
            at = end + 1;
        }
    }
    Random random(2);
    std::vector<Reply> replies(kReplies);
    for (Reply& reply : replies) {
        reply.code = 550;
        for (int i = 0; i < 25; ++i) reply.text += words[random.below(words.size())] + " ";
    }
    return replies;
}

void classify_all(benchmark::State& state, const std::vector<Reply>& replies) {
    const auto classifier = Classifier::with_default_rules();
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(classifier->classify(Stage::kRcpt, replies[next]));
        next = next + 1 == replies.size() ? 0 : next + 1;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void real_life(benchmark::State& state) { classify_all(state, real_life_replies()); }
BENCHMARK(real_life);

void words_in_random_order(benchmark::State& state) { classify_all(state, shuffled_replies()); }
BENCHMARK(words_in_random_order);

void accepted(benchmark::State& state) {
    classify_all(state, {parse_reply_line("250 2.0.0 Ok: queued as 4F7A21BC09")});
}
BENCHMARK(accepted);

void normalised(benchmark::State& state) {
    const std::vector<Reply> replies = real_life_replies();
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(normalise_reply(replies[next].text));
        next = next + 1 == replies.size() ? 0 : next + 1;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(normalised);

void load_default_rules(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(Classifier::with_default_rules());
}
BENCHMARK(load_default_rules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace posthorn
