// Virtual time: both clocks, and actions in the order of their instants; at one instant, in the
// order in which they were made. Nothing in a world knows any other time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/base/time.h"

namespace posthorn::sim {

class Agenda {
  public:
    using Action = std::function<void()>;

    const Now& now() const { return now_; }
    void at(Instant when, Action action);  // not before now
    void after(Duration wait, Action action) { at(now_.instant + wait, std::move(action)); }

    std::optional<Instant> next() const;
    bool run_one_due();  // false: nothing is due
    void advance_to(Instant when);
    void jump_wall(Duration by);                 // as when an operator sets the clock
    WallTime latest() const { return latest_; }  // that the wall clock ever showed

  private:
    struct Entry {
        Instant when;
        std::uint64_t order;
        Action action;
        bool operator<(const Entry& other) const {  // a heap has its greatest in front
            return when != other.when ? when > other.when : order > other.order;
        }
    };

    Now now_{Instant(std::chrono::hours(1000)), WallTime(std::chrono::hours(490'000))};
    WallTime latest_ = now_.wall;
    std::uint64_t made_ = 0;
    std::vector<Entry> heap_;
};

}  // namespace posthorn::sim
