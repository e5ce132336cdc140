#include "tools/posthorn/view_feed.h"

#include <algorithm>

namespace posthorn {

void ViewFeed::publish(const RuntimeView& view) {
    auto copy = std::make_shared<const RuntimeView>(view);
    {
        const std::lock_guard lock(mutex_);
        view_ = std::move(copy);
        ++version_;
        for (const Notice& notice : view.notices) notices_.push_back(notice);
        notices_seen_ += view.notices.size();
        while (notices_.size() > kNoticesKept) notices_.pop_front();
    }
    changed_.notify_all();
}

void ViewFeed::end() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
}

std::shared_ptr<const RuntimeView> ViewFeed::latest() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

bool ViewFeed::ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
}

ViewFeed::Seen ViewFeed::now_seen() const {
    const std::lock_guard lock(mutex_);
    return {version_, notices_seen_};
}

ViewFeed::News ViewFeed::wait(Seen& seen, Duration at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return ended_ || version_ > seen.version; });
    News news{view_, {}, ended_};
    const auto fresh = static_cast<std::ptrdiff_t>(
        std::min<std::uint64_t>(notices_seen_ - seen.notices, notices_.size()));
    news.notices.assign(notices_.end() - fresh, notices_.end());
    seen = {version_, notices_seen_};
    return news;
}

}  // namespace posthorn
