// The store on disk: one RocksDB database with a column family for each family of keys. The
// directory belongs to one process at a time; a second is told kBusy. A directory of another
// format version is refused before RocksDB touches it. RocksDB's own threads flush and compact.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "engine/queue/store.h"

namespace rocksdb {
class Env;
}

namespace posthorn {

struct RocksOptions {
    Durability durability = Durability::kPower;
    // All memtables together. Bounds what a restart replays, about a second's worth.
    std::size_t write_buffer_bytes = std::size_t{16} << 20;
    std::size_t cache_bytes = std::size_t{12} << 20;  // blocks, indexes and filters
    int open_files_max = 256;
    int background_threads = 2;
    rocksdb::Env* env = nullptr;  // the disk; null: this machine's. Outlives the store
};

// Makes the directory, mode 0700, if it is not there. kBusy: another process owns it; kConflict:
// its format is another's.
Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory,
                                                const RocksOptions& options = {});

}  // namespace posthorn
