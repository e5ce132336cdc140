// Sorted files of RocksDB: writing one, and the keys it reaches from and to. Private to rocks_*.cc.
#pragma once

#include <memory>
#include <string>

#include "engine/queue/rocks_database.h"

namespace posthorn {

Result<std::unique_ptr<SortedFileWriter>> make_sorted_file_writer(const rocksdb::Options& options,
                                                                  const std::string& path);

struct SortedFileRange {
    std::string first, last;
};
Result<SortedFileRange> sorted_file_range(const rocksdb::Options& options, const std::string& path);

}  // namespace posthorn
