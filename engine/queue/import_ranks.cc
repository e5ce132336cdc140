#include "engine/queue/import_ranks.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/bytes.h"

namespace posthorn {

Status LaneRanks::add(std::uint64_t rank, std::string_view local_key) {
    entries_.push_back({rank, arena_.size(), local_key.size()});
    arena_.append(local_key);
    if (arena_.size() + entries_.size() * sizeof(Entry) < bytes_max_) return {};
    return spill();
}

// Local keys come in their order already.
void LaneRanks::sort() {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.rank < b.rank; });
}

Status LaneRanks::spill() {
    sort();
    auto writer = RunWriter::create(path_of(runs_));
    if (!writer) return writer.error();
    for (const Entry& entry : entries_) {
        key_.clear();
        put_u64(key_, entry.rank);
        key_.append(arena_, entry.offset, entry.bytes);
        RETURN_IF_ERROR(writer->put({key_, 0, {}}));
    }
    RETURN_IF_ERROR(writer->finish());
    ++runs_;
    entries_.clear();
    arena_.clear();
    return {};
}

Status LaneRanks::write(std::string_view lane_prefix, SortedFiles& order) {
    if (runs_ == 0) {
        sort();
        for (const Entry& entry : entries_) {
            key_.assign(lane_prefix);
            put_u64(key_, entry.rank);
            key_.append(arena_, entry.offset, entry.bytes);
            RETURN_IF_ERROR(order.put(key_, {}));
        }
        entries_.clear();
        arena_.clear();
        return {};
    }
    if (!entries_.empty()) RETURN_IF_ERROR(spill());
    std::vector<std::string> paths;
    for (std::size_t run = 0; run < runs_; ++run) paths.push_back(path_of(run));
    {
        auto merge = RunMerge::open(paths);
        if (!merge) return merge.error();
        for (;;) {
            const auto more = merge->next();
            if (!more) return more.error();
            if (!*more) break;
            key_.assign(lane_prefix);
            key_.append(merge->record().key);
            RETURN_IF_ERROR(order.put(key_, {}));
        }
    }
    for (const std::string& path : paths) std::remove(path.c_str());
    runs_ = 0;
    return {};
}

}  // namespace posthorn
