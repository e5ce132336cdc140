// tls-results: how TLS fared towards each domain, as counted by the scheduler.
#include <nlohmann/json.hpp>

#include "engine/delivery/tls_results.h"
#include "engine/queue/keys.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"

namespace posthorn {

namespace {

nlohmann::ordered_json results_json(const TlsResultsKey& key, const TlsCounts& counts) {
    nlohmann::ordered_json results = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > 0) results[std::string(name_of(static_cast<TlsResult>(i)))] = counts[i];
    return {{"day", key.day},
            {"domain", key.domain},
            {"policy", name_of(key.policy)},
            {"results", std::move(results)}};
}

}  // namespace

CommandResult show_tls_results(const CommandContext& context, const nlohmann::json& /*request*/,
                               LineSink& sink) {
    const std::string prefix = state_prefix(kTlsResultsKind);
    auto cursor = context.store.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        const auto key = parse_tls_results_key(cursor->key().substr(prefix.size()));
        const auto counts = decode_tls_counts(cursor->value());
        if (key && counts && !sink.line(json_line(results_json(*key, *counts)))) break;
    }
    return cursor->status() ? CommandResult{} : failed(cursor->status().error());
}

}  // namespace posthorn
