#include "tests/sim/agenda.h"

#include <algorithm>

namespace posthorn::sim {

void Agenda::at(Instant when, Action action) {
    heap_.push_back({std::max(when, now_.instant), made_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end());
}

std::optional<Instant> Agenda::next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
}

bool Agenda::run_one_due() {
    if (heap_.empty() || heap_.front().when > now_.instant) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    const Action action = std::move(heap_.back().action);
    heap_.pop_back();
    action();
    return true;
}

void Agenda::advance_to(Instant when) {
    if (when <= now_.instant) return;
    now_.wall += when - now_.instant;
    now_.instant = when;
    latest_ = std::max(latest_, now_.wall);
}

void Agenda::jump_wall(Duration by) {
    now_.wall += by;
    latest_ = std::max(latest_, now_.wall);
}

}  // namespace posthorn::sim
