// A set of 64-bit hashes in one flat array: 10 million take 128 MiB. Two different things are taken
// for one with a probability of n^2 / 2^65, for ten million 3 in a million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posthorn::sink {

class HashSet {
  public:
    bool insert(std::uint64_t hash);  // false if it was there
    std::size_t size() const { return size_; }

  private:
    void grow();

    std::vector<std::uint64_t> slots_;  // 0: free
    std::size_t size_ = 0;
};

}  // namespace posthorn::sink
