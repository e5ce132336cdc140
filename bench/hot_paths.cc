#include "bench/hot_paths.h"

namespace posthorn {

std::vector<HotPath> hot_paths() {
    std::vector<HotPath> all;
    for (auto part : {smtp_hot_paths, message_hot_paths, scheduler_hot_paths, journal_hot_paths})
        for (HotPath& path : part()) all.push_back(std::move(path));
    return all;
}

}  // namespace posthorn
