// The libuv side of a Loop, for the .cc files of engine/net alone: the only header that includes
// uv.h.
#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/loop.h"

namespace posthorn {

inline constexpr std::size_t kReadBufferBytes = 128 * 1024;  // of the whole loop; fits a core's L2

struct LoopState {
    uv_loop_t uv;
    uv_prepare_t prepare;  // runs the hooks of TurnEnd
    Now now{};
    bool stale = true;                          // `now` is of an earlier turn
    bool in_timers = false;                     // a timer's callback runs
    bool timers_ran = false;                    // in this turn, maybe before the wait
    bool one_turn = false;                      // turn() was called, not run()
    std::vector<std::function<void()>*> hooks;  // of TurnEnd; null: gone
    std::unique_ptr<char[]> read_buffer = std::make_unique<char[]>(kReadBufferBytes);

    std::unique_ptr<Wake> wake;
    std::atomic<bool> stopping = false;
    std::mutex posted_mutex;
    std::vector<std::function<void()>> posted;

    const Now& read_clocks();
    void end_turn();
    void woken();
};

// Closes a handle whose struct starts with a libuv handle; libuv frees it when it is done with it.
template <class Handle>
void close_and_delete(Handle* handle, uv_handle_t* uv) {
    CHECK(static_cast<void*>(handle) == static_cast<void*>(uv));
    uv_close(uv, [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace posthorn
