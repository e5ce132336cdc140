#include "tools/posthorn/process_usage.h"

#include <sys/resource.h>

#include "engine/base/bytes.h"
#include "engine/queue/keys.h"

namespace posthorn {

namespace {

constexpr std::string_view kUsageKind = "usage";

std::uint64_t micros(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

ProcessUsage usage_of_this_process() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    constexpr std::uint64_t kKiB = 1024;  // what Linux counts ru_maxrss in
    return {micros(usage.ru_utime) + micros(usage.ru_stime),
            static_cast<std::uint64_t>(usage.ru_maxrss) * kKiB, 0};
}

Result<ProcessUsage> stored_usage(const Store& store, std::string_view campaign_id) {
    const auto stored = store.get(Family::kState, state_key(kUsageKind, campaign_id));
    if (!stored) return stored.error();
    ProcessUsage usage;
    if (!*stored) return usage;
    ByteReader reader(**stored);
    usage.cpu_us = reader.u64();
    usage.peak_rss_bytes = reader.u64();
    usage.elapsed_us = reader.u64();
    if (!reader.at_end()) return Error{ErrorKind::kCorrupt, "the stored usage cannot be read"};
    return usage;
}

void append_erase_usage(WriteBatch& batch, std::string_view campaign_id) {
    batch.erase(Family::kState, state_key(kUsageKind, campaign_id));
}

Status store_usage(Store& store, std::string_view campaign_id, const ProcessUsage& usage) {
    std::string bytes;
    put_u64(bytes, usage.cpu_us);
    put_u64(bytes, usage.peak_rss_bytes);
    put_u64(bytes, usage.elapsed_us);
    WriteBatch batch;
    batch.put(Family::kState, state_key(kUsageKind, campaign_id), bytes);
    return store.write(batch, Store::Sync::kRelaxed);
}

}  // namespace posthorn
