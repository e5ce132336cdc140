#include "engine/net/loop.h"

#include <ctime>

#include <algorithm>
#include <utility>

#include "engine/net/loop_state.h"

namespace posthorn {
namespace {

constexpr int kClosingTurnsMax = 8;  // of libuv, to close what was destroyed

std::int64_t read_micros(clockid_t clock) {
    timespec time{};
    CHECK(clock_gettime(clock, &time) == 0);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace

// ---- The state

const Now& LoopState::read_clocks() {
    if (stale) {
        now.instant = Instant(Duration(read_micros(CLOCK_MONOTONIC)));  // libuv's clock as well
        now.wall = WallTime(Duration(read_micros(CLOCK_REALTIME)));
        stale = false;
    }
    return now;
}

void LoopState::end_turn() {
    // By index: a hook may make and destroy hooks.
    for (std::size_t i = 0; i < hooks.size(); ++i)
        if (hooks[i] != nullptr) (*hooks[i])();
    std::erase(hooks, nullptr);
}

void LoopState::woken() {
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(posted_mutex);
        tasks.swap(posted);
    }
    for (const std::function<void()>& task : tasks) task();
    if (stopping) uv_stop(&uv);
}

// ---- Loop

Loop::Loop() : state_(std::make_unique<LoopState>()) {
    CHECK(uv_loop_init(&state_->uv) == 0);
    CHECK(uv_prepare_init(&state_->uv, &state_->prepare) == 0);
    state_->uv.data = state_.get();
    CHECK(uv_prepare_start(&state_->prepare, [](uv_prepare_t* prepare) {
              auto* state = static_cast<LoopState*>(prepare->loop->data);
              state->end_turn();
              state->stale = true;
              // libuv runs due timers before it waits, too: those were this turn's events.
              if (state->one_turn && state->timers_ran) uv_stop(&state->uv);
          }) == 0);
    state_->wake = std::make_unique<Wake>(*this, [state = state_.get()] { state->woken(); });
}

Loop::~Loop() {
    state_->wake.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&state_->prepare), nullptr);
    for (int turn = 0; turn < kClosingTurnsMax; ++turn) uv_run(&state_->uv, UV_RUN_NOWAIT);
    const bool all_destroyed_before_the_loop = uv_loop_close(&state_->uv) == 0;
    CHECK(all_destroyed_before_the_loop);
}

void Loop::run() {
    state_->stale = true;
    if (!state_->stopping) uv_run(&state_->uv, UV_RUN_DEFAULT);
    state_->stopping = false;
    state_->end_turn();
}

void Loop::turn() {
    state_->stale = true;
    state_->timers_ran = false;
    state_->one_turn = true;
    uv_run(&state_->uv, UV_RUN_ONCE);
    state_->one_turn = false;
    state_->end_turn();
}

void Loop::stop() {
    state_->stopping = true;
    state_->wake->ring();
}

const Now& Loop::now() { return state_->read_clocks(); }

void Loop::post(std::function<void()> task) {
    {
        const std::lock_guard lock(state_->posted_mutex);
        state_->posted.push_back(std::move(task));
        if (state_->posted.size() > 1) return;
    }
    state_->wake->ring();
}

// ---- Timer

struct Timer::Handle {
    uv_timer_t uv;
    LoopState* loop = nullptr;
    std::function<void()> due;
    Instant when;
    bool armed = false;

    static void expired(uv_timer_t* uv) {
        auto* handle = reinterpret_cast<Handle*>(uv);
        LoopState* loop = handle->loop;
        handle->armed = false;
        if (loop->now.instant < handle->when) loop->stale = true;
        loop->in_timers = true;
        loop->timers_ran = true;
        handle->due();
        loop->in_timers = false;
    }
};

Timer::Timer(Loop& loop, std::function<void()> due) : handle_(new Handle) {
    handle_->loop = &loop.state();
    handle_->due = std::move(due);
    CHECK(uv_timer_init(&handle_->loop->uv, &handle_->uv) == 0);
}

Timer::~Timer() { close_and_delete(handle_, reinterpret_cast<uv_handle_t*>(&handle_->uv)); }

void Timer::arm(Instant when) {
    if (handle_->armed && handle_->when == when) return;
    handle_->armed = true;
    handle_->when = when;
    const std::int64_t due_ms =
        std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch()).count();
    const auto now_ms = static_cast<std::int64_t>(uv_now(&handle_->loop->uv));
    // libuv runs a timer armed for now by a timer within the same pass, for ever if it repeats.
    const std::int64_t least_ms = handle_->loop->in_timers ? 1 : 0;
    const auto wait_ms = static_cast<std::uint64_t>(std::max(due_ms - now_ms, least_ms));
    CHECK(uv_timer_start(&handle_->uv, &Handle::expired, wait_ms, 0) == 0);
}

void Timer::disarm() {
    handle_->armed = false;
    uv_timer_stop(&handle_->uv);
}

// ---- TurnEnd

struct TurnEnd::Handle {
    LoopState* loop;
    std::function<void()> hook;
};

TurnEnd::TurnEnd(Loop& loop, std::function<void()> hook)
    : handle_(new Handle{&loop.state(), std::move(hook)}) {
    handle_->loop->hooks.push_back(&handle_->hook);
}

TurnEnd::~TurnEnd() {
    std::ranges::replace(handle_->loop->hooks, &handle_->hook, nullptr);
    delete handle_;
}

// ---- Wake

struct Wake::Handle {
    uv_async_t uv;
    std::function<void()> woken;
};

Wake::Wake(Loop& loop, std::function<void()> woken) : handle_(new Handle) {
    handle_->woken = std::move(woken);
    CHECK(uv_async_init(&loop.state().uv, &handle_->uv,
                        [](uv_async_t* uv) { reinterpret_cast<Handle*>(uv)->woken(); }) == 0);
}

Wake::~Wake() { close_and_delete(handle_, reinterpret_cast<uv_handle_t*>(&handle_->uv)); }

void Wake::ring() { CHECK(uv_async_send(&handle_->uv) == 0); }

// ---- SignalWatch

struct SignalWatch::Handle {
    uv_signal_t uv;
    std::function<void(int)> received;
};

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void(int signal)> received)
    : handle_(new Handle) {
    handle_->received = std::move(received);
    CHECK(uv_signal_init(&loop.state().uv, &handle_->uv) == 0);
    CHECK(uv_signal_start(
              &handle_->uv,
              [](uv_signal_t* uv, int number) { reinterpret_cast<Handle*>(uv)->received(number); },
              signal) == 0);
}

SignalWatch::~SignalWatch() {
    close_and_delete(handle_, reinterpret_cast<uv_handle_t*>(&handle_->uv));
}

}  // namespace posthorn
