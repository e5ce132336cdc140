// One thread's event loop over libuv: its clock, timers, signals and wake-ups from other threads.
// Whatever is made on a loop is used by that loop's thread alone, except Wake::ring(), Loop::post()
// and Loop::stop(), and is destroyed before the loop. No handle allocates when an event arrives.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/time.h"
#include "engine/net/mailbox.h"

namespace posthorn {

struct LoopState;  // the libuv side, in loop_state.h: for engine/net alone

class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();   // until stop()
    void turn();  // waits once, for at least one event, and handles what came
    void stop();  // any thread; run() returns after the turn, or at once if called before it

    // Both clocks, read once per turn: after the wait, when the first callback asks.
    const Now& now();

    // Any thread. Runs the task on the loop; what is still queued when the loop ends is dropped.
    void post(std::function<void()> task);

    LoopState& state() { return *state_; }

  private:
    std::unique_ptr<LoopState> state_;
};

// Calls back once, when the armed instant has come: never early, up to a millisecond late.
class Timer {
  public:
    Timer(Loop& loop, std::function<void()> due);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void arm(Instant when);                // replaces what was armed; free if it is the same
    void arm(std::optional<Instant> when)  // absent: disarms
    {
        when ? arm(*when) : disarm();
    }
    void disarm();

  private:
    struct Handle;
    Handle* handle_;
};

// Called at the end of every turn, after all callbacks and before the loop waits again: the place
// to write what the turn's callbacks corked.
class TurnEnd {
  public:
    TurnEnd(Loop& loop, std::function<void()> hook);
    ~TurnEnd();
    TurnEnd(const TurnEnd&) = delete;
    TurnEnd& operator=(const TurnEnd&) = delete;

  private:
    struct Handle;
    Handle* handle_;
};

// Wakes a loop from any thread. Rings before the callback runs are one. Must outlive its ringers.
class Wake : public Bell {
  public:
    Wake(Loop& loop, std::function<void()> woken);
    ~Wake() override;
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    void ring() override;

  private:
    struct Handle;
    Handle* handle_;
};

// While it lives, a signal of the process calls back instead of doing what it would.
class SignalWatch {
  public:
    SignalWatch(Loop& loop, int signal, std::function<void(int signal)> received);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

  private:
    struct Handle;
    Handle* handle_;
};

}  // namespace posthorn
