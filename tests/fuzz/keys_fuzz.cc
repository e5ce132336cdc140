// Any bytes as a key of the store: what is read as one is written back the same.
#include "engine/base/check.h"
#include "engine/queue/keys.h"

namespace posthorn {
namespace {

void fuzz(std::string_view key) {
    if (const auto audience = parse_audience_key(key)) {
        const LaneId lane{audience->campaign, std::string(audience->domain)};
        CHECK(audience_key(lane, audience->local) == key);
        CHECK(key.starts_with(campaign_prefix(audience->campaign)));
    }
    if (const auto lane = parse_lane_key(key)) CHECK(lane_key(*lane) == key);
    if (const auto order = parse_lane_order_key(key)) {
        CHECK(lane_order_key(order->campaign, order->band, order->domain) == key);
        CHECK(key != import_mark_key(order->campaign));
    }
    if (const auto retry = parse_retry_key(key)) {
        const LaneId lane{retry->campaign, std::string(retry->domain)};
        CHECK(retry_key(lane, retry->due, retry->local) == key);
        CHECK(key.starts_with(retry_prefix(lane, retry->due)));
    }
    if (const auto sequence = parse_sequence_key(key)) CHECK(sequence_key(*sequence) == key);
    if (const auto folded = folded_local(key)) {
        CHECK(key.ends_with(*folded));
        if (fold_local(*folded) == *folded) CHECK(local_key(*folded) == key);
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
