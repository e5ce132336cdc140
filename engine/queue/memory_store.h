// A store in memory, for tests and the simulator: the same contract, nothing survives. Cursors see
// the state at their creation through versions of values, so that neither they nor writers copy.
#pragma once

#include <memory>

#include "engine/queue/store.h"

namespace posthorn {

// Cursors and writers may not outlive it.
std::unique_ptr<Store> make_memory_store();

}  // namespace posthorn
