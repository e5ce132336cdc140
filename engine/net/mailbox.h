// A bounded queue from many threads to one. Nobody waits to push: what does not fit stays with the
// sender, who tries again when told that there is room (an answer, a commit) or stops granting. The
// consumer takes all at once by swapping vectors, so that a hop costs one lock per batch; it is
// woken once per change from empty to not empty, by a loop's Wake or in wait().
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/time.h"

namespace posthorn {

// What a mailbox rings when it is no longer empty, or is closed. Called by the pushing thread.
class Bell {
  public:
    virtual ~Bell() = default;
    virtual void ring() = 0;
};

template <class T>
class Mailbox {
  public:
    // bell may be null: the consumer then polls take() or waits in wait(). It outlives the mailbox.
    explicit Mailbox(std::size_t items_max, Bell* bell = nullptr)
        : items_max_(items_max), bell_(bell) {
        CHECK(items_max > 0);
    }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // ---- Producers, any thread.

    // False when full or closed; the item is then as it was.
    [[nodiscard]] bool try_push(T&& item) {
        std::unique_lock lock(mutex_);
        if (closed_ || items_.size() >= items_max_) return false;
        items_.push_back(std::move(item));
        announce(1, lock);
        return true;
    }

    // Moves as many as fit, in order, and erases them from the vector; true when none is left.
    [[nodiscard]] bool try_push_all(std::vector<T>& items) {
        if (items.empty()) return true;
        std::unique_lock lock(mutex_);
        const std::size_t room = closed_ ? 0 : items_max_ - items_.size();
        const std::size_t count = std::min(room, items.size());
        if (count == 0) return false;
        const auto end = items.begin() + static_cast<std::ptrdiff_t>(count);
        items_.insert(items_.end(), std::make_move_iterator(items.begin()),
                      std::make_move_iterator(end));
        announce(count, lock);
        items.erase(items.begin(), end);
        return items.empty();
    }

    // Nothing more can be pushed; the consumer still gets what is in it.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        arrived_.notify_all();
        if (bell_ != nullptr) bell_->ring();
    }

    // ---- The consumer. The vector handed in is emptied and its storage reused for later items.

    // All there is; false when that is nothing.
    bool take(std::vector<T>& into) {
        into.clear();
        const std::lock_guard lock(mutex_);
        items_.swap(into);
        return !into.empty();
    }

    // Waits for at least one item, then up to `linger` for `enough` of them: group commit. False
    // once closed and empty.
    bool wait(std::vector<T>& into, Duration linger = Duration(0), std::size_t enough = 1) {
        into.clear();
        std::unique_lock lock(mutex_);
        sleep_until_size_ = 1;
        arrived_.wait(lock, [this] { return closed_ || !items_.empty(); });
        if (linger > Duration(0) && items_.size() < enough && !closed_) {
            sleep_until_size_ = std::min(enough, items_max_);
            arrived_.wait_for(lock, linger,
                              [this] { return closed_ || items_.size() >= sleep_until_size_; });
        }
        sleep_until_size_ = 0;
        items_.swap(into);
        return !into.empty();
    }

    bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return items_.size();
    }

  private:
    // After `count` items were added: wakes who waits for that, outside of the lock.
    void announce(std::size_t count, std::unique_lock<std::mutex>& lock) {
        const bool was_empty = items_.size() == count;
        const bool sleeper = sleep_until_size_ != 0 && items_.size() >= sleep_until_size_ &&
                             items_.size() - count < sleep_until_size_;
        lock.unlock();
        if (sleeper) arrived_.notify_one();
        if (was_empty && bell_ != nullptr) bell_->ring();
    }

    const std::size_t items_max_;
    Bell* const bell_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<T> items_;
    std::size_t sleep_until_size_ = 0;  // how many items the waiting consumer wants; 0: not waiting
    bool closed_ = false;
};

}  // namespace posthorn
