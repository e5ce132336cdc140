// The runtime's pictures, handed from the scheduler's loop to whoever follows, on other threads.
// Nobody who follows can hold the loop up: a slow one misses pictures, but no notices.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/server/runtime.h"

namespace posthorn {

class ViewFeed {
  public:
    struct Seen {
        std::uint64_t version = 0;  // of the last picture seen
        std::uint64_t notices = 0;  // how many notices were seen
    };
    struct News {
        std::shared_ptr<const RuntimeView> view;  // null: none was taken yet
        std::vector<Notice> notices;              // since the last time
        bool ended = false;                       // the runtime has ended; there will be no more
    };

    void publish(const RuntimeView& view);
    void end();

    std::shared_ptr<const RuntimeView> latest() const;
    bool ended() const;

    Seen now_seen() const;  // for who wants to hear only of what comes

    // Waits until there is a picture newer than seen, the runtime ends, or the time is over.
    News wait(Seen& seen, Duration at_most);

  private:
    static constexpr std::size_t kNoticesKept = 1000;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<const RuntimeView> view_;
    std::uint64_t version_ = 0;
    std::deque<Notice> notices_;
    std::uint64_t notices_seen_ = 0;  // in all, those no longer kept among them
    bool ended_ = false;
};

}  // namespace posthorn
