#include "tests/delivery/stored_audience.h"

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

void store_lane(Store& store, const LaneId& lane, const std::vector<std::string>& locals) {
    WriteBatch batch;
    for (const std::string& local : locals)
        batch.put(Family::kAudience, audience_key(lane, local_key(local)), "row of " + local);
    batch.put(Family::kLane, lane_key(lane), encode(LaneRecord{locals.size(), {}, {}}));
    std::string recipients;
    put_varint(recipients, locals.size());
    batch.put(Family::kLaneOrder,
              lane_order_key(lane.campaign, lane_band(locals.size()), lane.domain), recipients);
    CHECK(store.write(batch));
}

Recipient stored_recipient(const Store& store, const LaneId& lane, const std::string& local) {
    auto page = std::make_shared<Page>();
    page->bytes = local_key(local);
    Page::Item item;
    item.local_bytes = static_cast<std::uint16_t>(page->bytes.size());
    const auto outcome = store.get(Family::kOutcome, audience_key(lane, page->bytes));
    CHECK(outcome);
    if (*outcome) {
        page->previous.push_back(*decode_outcome(**outcome));
        item.previous = 0;
        item.due = page->previous.back().next_due;
    }
    page->items.push_back(item);
    return {std::move(page), 0};
}

}  // namespace posthorn
