// Audiences put straight into a store, and recipients as the reader gives them.
#pragma once

#include <string>

#include "engine/delivery/page.h"
#include "engine/queue/store.h"

namespace posthorn {

// Puts the rows, the lane and its place in the lane order.
void store_lane(Store& store, const LaneId& lane, const std::vector<std::string>& locals);

// With its outcome so far, if the store has one.
Recipient stored_recipient(const Store& store, const LaneId& lane, const std::string& local);

}  // namespace posthorn
