// Any bytes as posthorn.json: every fault has a place and words, what is read as a tree is JSON,
// and a configuration without faults can be completed.
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/server/config.h"
#include "engine/server/json_tree.h"

namespace posthorn {
namespace {

void fuzz(std::string_view text) {
    const bool parsed = std::holds_alternative<JsonTree>(parse_json_tree(text));
    CHECK(!parsed || nlohmann::json::accept(text, true));
    LoadedConfig loaded = read_config(text);
    CHECK(parsed || !loaded.errors.empty());
    for (const ConfigError& error : loaded.errors) {
        CHECK(error.line > 0 && error.column > 0);
        CHECK(!error.message.empty() && !error.code.empty());
    }
    CHECK(to_text(loaded.errors, "f").empty() == loaded.errors.empty());
    if (!loaded.errors.empty()) return;
    Config& config = loaded.config;
    CHECK(config.complete("mta.example.test", 2).has_value());
    CHECK(!config.sources.empty() && config.senders > 0 && config.limits.port > 0);
    CHECK(config.min_free_disk_percent >= 0 && config.min_free_disk_percent <= 100);
    CHECK(config.limits.site_retry_first <= config.limits.site_retry_max);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
