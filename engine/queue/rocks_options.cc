// How RocksDB is set up, each choice with its reason.
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "engine/queue/rocks_database.h"

namespace posthorn {

namespace {

constexpr std::size_t kBlockBytes = 8 << 10;
constexpr std::size_t kArenaBlockBytes = 64 << 10;  // thirteen families share the write buffer
constexpr double kFilterBitsPerKey = 10;            // one lookup in a hundred reads in vain
constexpr int kCacheShardBits = 2;

// Looked up by key; the others are walked.
bool looked_up(Family family) {
    return family == Family::kOutcome || family == Family::kSuppression ||
           family == Family::kContent || family == Family::kLane;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const RocksOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_size = kBlockBytes;
    table.block_cache = cache;
    // Indexes and filters live in the cache, in parts, so that memory does not follow the audience.
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.pin_top_level_index_and_filter = true;
    table.format_version = 5;
    if (looked_up(family)) {
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
        table.partition_filters = true;
    }
    rocksdb::ColumnFamilyOptions family_options;
    family_options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family_options.write_buffer_size = options.write_buffer_bytes / 2;
    family_options.max_write_buffer_number = 4;
    family_options.arena_block_size = kArenaBlockBytes;
    family_options.compression = rocksdb::kLZ4Compression;
    family_options.bottommost_compression = rocksdb::kZSTD;
    family_options.bottommost_compression_opts.enabled = true;
    family_options.bottommost_compression_opts.level = 1;
    family_options.level_compaction_dynamic_level_bytes = true;
    family_options.max_bytes_for_level_base = std::uint64_t{64} << 20;
    family_options.target_file_size_base = std::uint64_t{32} << 20;
    return family_options;
}

// Keeps RocksDB from going on by itself once a full disk has room again: what it had not written it
// would write, and nobody here would know.
class NoRecovery : public rocksdb::EventListener {
  public:
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                              bool* auto_recovery) override {
        *auto_recovery = false;
    }
};

// RocksDB's own log cannot be written to a full disk, and its second line then ends the process,
// for Debian builds it with assertions. What goes wrong is in the status that every caller is
// given.
class NoLog : public rocksdb::Logger {
  public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::DBOptions database_options(const RocksOptions& options) {
    rocksdb::DBOptions database;
    if (options.env != nullptr) database.env = options.env;
    database.create_if_missing = true;
    database.create_missing_column_families = true;
    database.max_background_jobs = options.background_threads;
    database.max_open_files = options.open_files_max;

    // What a restart has to replay is bounded twice: by what is not flushed, and by the logs kept.
    database.db_write_buffer_size = options.write_buffer_bytes;
    database.max_total_wal_size = options.write_buffer_bytes * 3 / 2;
    // The log is not compressed: RocksDB 7.8 decompresses now and then wrongly when it opens (two
    // fragments of a record at one place of its buffer), and then refuses to.
    database.wal_compression = rocksdb::kNoCompression;
    database.skip_stats_update_on_db_open = true;
    database.skip_checking_sst_file_sizes_on_db_open = true;

    // Without a log, families must reach the disk together.
    database.atomic_flush = options.durability == Durability::kNone;

    // A failed sync is final: nobody resumes behind our back.
    database.max_bgerror_resume_count = 0;
    database.listeners.push_back(std::make_shared<NoRecovery>());

    database.info_log = std::make_shared<NoLog>();
    database.stats_dump_period_sec = 0;
    database.stats_persist_period_sec = 0;
    database.enable_write_thread_adaptive_yield = false;  // one writer: spinning gains nothing
    return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const RocksOptions& options) {
    rocksdb::LRUCacheOptions cache_options;
    cache_options.capacity = options.cache_bytes;
    cache_options.num_shard_bits = kCacheShardBits;
    // Not strict: a full cache would fail reads. What is pinned beyond it is a few iterators'
    // blocks.
    cache_options.strict_capacity_limit = false;
    const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(cache_options);

    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName,
                             family_options(Family::kMeta, options, cache));
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
        const auto family = static_cast<Family>(i);
        descriptors.emplace_back(std::string(name_of(family)),
                                 family_options(family, options, cache));
    }
    return descriptors;
}

}  // namespace posthorn
