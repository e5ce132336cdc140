#include "tools/posthorn/suppression_batch.h"

#include "engine/queue/keys.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/posted.h"

namespace posthorn {

Status SuppressionBatch::add(const Address& address, SuppressionRecord record) {
    record.address = address.to_string();
    Suppressions::append_add(batch_, record);
    if (context_.runtime != nullptr) added_.emplace_back(address.domain, fold_local(address.local));
    return batch_.size() < kBatchMax ? Status() : finish();
}

Status SuppressionBatch::finish() {
    if (batch_.empty()) return {};
    RETURN_IF_ERROR(context_.store.write(batch_));
    batch_.clear();
    if (added_.empty()) return {};
    // Stored first: whoever reads pages from now on sees it there.
    const auto added = std::exchange(added_, {});
    return post_and_wait(context_, [&](Scheduler& scheduler, Now) {
        for (const auto& [domain, local] : added) scheduler.address_suppressed(domain, local);
        return Status();
    });
}

}  // namespace posthorn
