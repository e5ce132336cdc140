// What delivering a campaign has cost this machine, kept beside the campaign so that a report can
// still say it when the process is gone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"
#include "engine/queue/store.h"

namespace posthorn {

struct ProcessUsage {
    std::uint64_t cpu_us = 0;          // user and system time of all threads, over all runs
    std::uint64_t peak_rss_bytes = 0;  // the largest of all runs
    std::uint64_t elapsed_us = 0;      // over all runs, import included
};

ProcessUsage usage_of_this_process();  // since it was started

// State family, kind "usage", key: the campaign's id.
Result<ProcessUsage> stored_usage(const Store& store, std::string_view campaign_id);
Status store_usage(Store& store, std::string_view campaign_id, const ProcessUsage& usage);

void append_erase_usage(WriteBatch& batch, std::string_view campaign_id);

}  // namespace posthorn
