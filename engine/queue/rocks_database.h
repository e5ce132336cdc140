// What the files of the RocksDB store share: options, errors, slices. Private to rocks_*.cc.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/queue/rocks_store.h"
#include "engine/queue/store.h"

namespace posthorn {

inline rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// kBusy for a lock held elsewhere, kCorrupt for bytes that are not what was written, else kIo.
Error rocks_error(std::string_view doing, const rocksdb::Status& status);

rocksdb::DBOptions database_options(const RocksOptions& options);

// In the order of Family, with the default family, which is unused, in front.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const RocksOptions& options);

std::unique_ptr<Store> make_rocks_store(const RocksOptions& options,
                                        std::unique_ptr<rocksdb::DB> database,
                                        std::vector<rocksdb::ColumnFamilyHandle*> handles);

}  // namespace posthorn
