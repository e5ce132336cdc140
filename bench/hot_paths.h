// The pieces of a message's path, each with fixed inputs, so that they can be timed
// (hot_paths_bench) and their instructions counted (guard_paths) by the same code.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace posthorn {

// One stretch of work, made ready beforehand and done once.
class Work {
  public:
    virtual ~Work() = default;
    virtual void run() = 0;
};

struct HotPath {
    const char* name;
    std::uint64_t operations;  // messages, recipients or replies of one run
    std::function<std::unique_ptr<Work>()> prepare;
};

std::vector<HotPath> hot_paths();

// Each in a file of its own.
std::vector<HotPath> smtp_hot_paths();       // replies, sessions
std::vector<HotPath> message_hot_paths();    // rendering, quoted-printable
std::vector<HotPath> scheduler_hot_paths();  // decisions, limits
std::vector<HotPath> journal_hot_paths();    // commits, the merge of lanes

}  // namespace posthorn
