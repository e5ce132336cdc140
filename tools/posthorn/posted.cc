#include "tools/posthorn/posted.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace posthorn {

namespace {

// Shared with the loop, for whoever waits may have left by the time the action comes up.
struct Posted {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Status> result;
    bool left = false;
};

constexpr Duration kLookEvery{std::chrono::milliseconds(100)};

}  // namespace

Status post_and_wait(const CommandContext& context,
                     const std::function<Status(Scheduler&, Now)>& action) {
    const auto posted = std::make_shared<Posted>();
    context.runtime->post([posted, &action](Scheduler& scheduler, Now now) {
        const std::lock_guard lock(posted->mutex);
        if (posted->left) return;
        posted->result = action(scheduler, now);
        posted->changed.notify_all();
    });
    std::unique_lock lock(posted->mutex);
    while (
        !posted->changed.wait_for(lock, kLookEvery, [&] { return posted->result.has_value(); })) {
        if (!context.views->ended()) continue;
        posted->left = true;
        return Error{ErrorKind::kBusy, "the process that delivers is ending: ask again"};
    }
    return *posted->result;
}

Status add_and_wait(const CommandContext& context, const CampaignRecord& record) {
    const auto added = std::make_shared<std::optional<Status>>();
    context.runtime->add_campaign(record, [added](Status status) { *added = std::move(status); });
    // Posted behind it, so it has been done once this one is.
    return post_and_wait(context, [&](Scheduler&, Now) { return added->value_or(Status()); });
}

}  // namespace posthorn
