// Any bytes as a campaign file. What is accepted must come back from its stored definition; the
// scanner of positions must accept nothing that the library refuses.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "campaigns/campaign_definition.h"
#include "campaigns/campaign_file.h"
#include "campaigns/json_position.h"
#include "engine/base/check.h"

namespace posthorn {
namespace {

void fuzz(std::string_view text) {
    const bool scanned = !JsonPositions::scan(text).syntax_fault();
    CHECK(!scanned || nlohmann::json::accept(text, true));
    const LoadedCampaign loaded = read_campaign(text, "/nonexistent", "fuzz", LoadOptions{});
    for (const CampaignError& error : loaded.errors) {
        CHECK(error.line > 0 && error.column > 0);
        CHECK(!error.message.empty());
    }
    CHECK(!to_json(loaded.errors).empty());
    if (!loaded.ok()) return;
    const std::string definition = normalise(loaded.campaign);
    const Result<Campaign> back = load_normalised(definition);
    CHECK(back.has_value());
    CHECK(normalise(*back) == definition);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
