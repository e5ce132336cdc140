// What occurred in a world: every mood that acted, every fault, every place of a crash, by name. A
// simulator that never does a thing proves nothing about it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::sim {

class Coverage {
  public:
    void met(std::string_view what, std::uint64_t times = 1) {
        const auto found = times_.find(what);
        if (found != times_.end()) {
            found->second += times;
        } else {
            times_.emplace(what, times);
        }
    }
    void add(const Coverage& other) {
        for (const auto& [what, times] : other.times_) met(what, times);
    }
    const std::map<std::string, std::uint64_t, std::less<>>& times() const { return times_; }

    // Of all that a world can do, what is missing here.
    std::vector<std::string_view> missing() const;

  private:
    std::map<std::string, std::uint64_t, std::less<>> times_;
};

}  // namespace posthorn::sim
