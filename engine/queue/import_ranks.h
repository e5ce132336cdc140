// The order family of an import: the recipients of a lane as they come, by local key, given back by
// rank. Sorts in memory up to a bound, in runs beyond it. Private to the import.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/queue/import_merge.h"

namespace posthorn {

class LaneRanks {
  public:
    explicit LaneRanks(std::string path_prefix, std::size_t bytes_max = std::size_t{4} << 20)
        : path_prefix_(std::move(path_prefix)), bytes_max_(bytes_max) {}

    Status add(std::uint64_t rank, std::string_view local_key);

    // Puts the lane's entries, and is empty then. The prefix is that of its audience keys.
    Status write(std::string_view lane_prefix, SortedFiles& order);

  private:
    struct Entry {
        std::uint64_t rank;
        std::size_t offset, bytes;  // of the local key in the arena
    };
    std::string path_of(std::size_t run) const { return path_prefix_ + std::to_string(run); }
    void sort();
    Status spill();

    std::string path_prefix_;
    std::size_t bytes_max_;
    std::string arena_;
    std::vector<Entry> entries_;
    std::size_t runs_ = 0;
    std::string key_;
};

}  // namespace posthorn
