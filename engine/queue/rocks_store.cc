#include "engine/queue/rocks_store.h"

#include <rocksdb/convenience.h>
#include <rocksdb/experimental.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <mutex>

#include "engine/base/check.h"
#include "engine/queue/rocks_database.h"
#include "engine/queue/rocks_sorted_file.h"

#if defined(__SANITIZE_THREAD__)
// The library is not instrumented, so its own locks are not seen.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
    return "called_from_lib:librocksdb.so\nrace:librocksdb.so\n";
}
#endif

namespace posthorn {

Error rocks_error(std::string_view doing, const rocksdb::Status& status) {
    std::string message = std::string(doing) + ": " + status.ToString();
    if (status.IsNoSpace()) {
        message += "; make room on the disk and start again";
        return {ErrorKind::kIo, std::move(message)};
    }
    // RocksDB has no code for it: a lock of this process, and one of another.
    const bool locked =
        message.find("lock hold by current process") != std::string::npos ||
        message.find("/LOCK: Resource temporarily unavailable") != std::string::npos;
    if (status.IsIOError() && locked) return {ErrorKind::kBusy, std::move(message)};
    if (status.IsCorruption()) return {ErrorKind::kCorrupt, std::move(message)};
    return {ErrorKind::kIo, std::move(message)};
}

namespace {

class RocksCursor final : public Cursor {
  public:
    RocksCursor(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family, std::string_view lower,
                std::string_view upper)
        : lower_(lower), upper_(upper), lower_slice_(lower_), upper_slice_(upper_) {
        rocksdb::ReadOptions options;
        options.iterate_lower_bound = &lower_slice_;
        if (!upper_.empty()) options.iterate_upper_bound = &upper_slice_;
        iterator_.reset(database.NewIterator(options, family));
    }

    void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
    void next() override {
        CHECK(valid());
        iterator_->Next();
    }
    bool valid() const override { return iterator_->Valid(); }
    std::string_view key() const override { return view(iterator_->key()); }
    std::string_view value() const override { return view(iterator_->value()); }
    Status status() const override {
        const rocksdb::Status status = iterator_->status();
        if (status.ok()) return {};
        return rocks_error("cannot read the store", status);
    }

  private:
    std::string lower_, upper_;
    rocksdb::Slice lower_slice_, upper_slice_;  // of the strings above, for the iterator
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksStore final : public Store {
  public:
    RocksStore(const RocksOptions& options, std::unique_ptr<rocksdb::DB> database,
               std::vector<rocksdb::ColumnFamilyHandle*> handles)
        : durability_(options.durability),
          database_(std::move(database)),
          handles_(std::move(handles)) {
        CHECK(handles_.size() == kFamilyCount + 1);
    }
    ~RocksStore() override;

    Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
    std::unique_ptr<Cursor> cursor(Family family, std::string_view lower,
                                   std::string_view upper) const override {
        return std::make_unique<RocksCursor>(*database_, handle(family), lower, upper);
    }
    Status write(const WriteBatch& batch, Sync sync) override;
    Result<std::unique_ptr<SortedFileWriter>> sorted_file(Family family,
                                                          const std::string& path) override {
        return make_sorted_file_writer(database_->GetOptions(handle(family)), path);
    }
    Status ingest(const std::vector<SortedFile>& files) override;
    Status health() const override;
    Durability durability() const override { return durability_; }
    std::uint64_t bytes_on_disk() const override;
    std::uint64_t approximate_count(Family family) const override;
    void compact(Family family, std::string_view begin, std::string_view end) override;

  private:
    rocksdb::ColumnFamilyHandle* handle(Family family) const {
        return handles_[static_cast<std::size_t>(family) + 1];
    }
    Status check_overlap(const std::vector<SortedFile>& files) const;
    Error latch(const rocksdb::Status& status);

    Durability durability_;
    std::unique_ptr<rocksdb::DB> database_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::atomic<bool> failed_ = false;
    mutable std::mutex failure_mutex_;
    Error failure_;  // of the first write that failed
};

RocksStore::~RocksStore() {
    // Without a log, what is not flushed would be lost. Nobody could be told of a failure.
    if (durability_ == Durability::kNone && !failed_)
        (void)database_->Flush(rocksdb::FlushOptions(), handles_);
    for (rocksdb::ColumnFamilyHandle* family : handles_)
        (void)database_->DestroyColumnFamilyHandle(family);
    (void)database_->Close();
}

Result<std::optional<std::string>> RocksStore::get(Family family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status =
        database_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return rocks_error("cannot read the store", status);
    return std::optional(std::move(value));
}

Status RocksStore::write(const WriteBatch& batch, Sync sync) {
    if (failed_) return health();
    rocksdb::WriteBatch entries(batch.bytes() + 16 * batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const WriteBatch::Operation operation = batch[i];
        rocksdb::ColumnFamilyHandle* family = handle(operation.family);
        rocksdb::Status added;
        switch (operation.kind) {
            case WriteBatch::Kind::kPut:
                added = entries.Put(family, slice(operation.key), slice(operation.value));
                break;
            case WriteBatch::Kind::kErase:
                added = entries.Delete(family, slice(operation.key));
                break;
            case WriteBatch::Kind::kEraseRange:
                added = entries.DeleteRange(family, slice(operation.key), slice(operation.value));
                break;
        }
        CHECK(added.ok());
    }
    rocksdb::WriteOptions options;
    options.sync = durability_ == Durability::kPower && sync == Sync::kDurable;
    options.disableWAL = durability_ == Durability::kNone;
    const rocksdb::Status status = database_->Write(options, &entries);
    if (!status.ok()) return latch(status);
    return {};
}

Error RocksStore::latch(const rocksdb::Status& status) {
    const std::lock_guard lock(failure_mutex_);
    if (!failed_) {
        failure_ = rocks_error("cannot write the store, and nothing more is written", status);
        failed_ = true;
    }
    return failure_;
}

Status RocksStore::health() const {
    if (!failed_) return {};
    const std::lock_guard lock(failure_mutex_);
    return failure_;
}

// RocksDB would take files over keys that are there, as newer versions of them.
Status RocksStore::check_overlap(const std::vector<SortedFile>& files) const {
    std::array<std::vector<SortedFileRange>, kFamilyCount> ranges;
    for (const SortedFile& file : files) {
        const rocksdb::Options options = database_->GetOptions(handle(file.family));
        auto range = sorted_file_range(options, file.path);
        if (!range) return range.error();
        const auto present = cursor(file.family, {}, {});
        present->seek(range->first);
        RETURN_IF_ERROR(present->status());
        if (present->valid() && present->key() <= range->last)
            return Error{ErrorKind::kConflict, file.path + ": the store holds keys in its range"};
        for (const SortedFileRange& other : ranges[static_cast<std::size_t>(file.family)])
            if (range->first <= other.last && other.first <= range->last)
                return Error{ErrorKind::kConflict, file.path + ": overlaps another of the files"};
        ranges[static_cast<std::size_t>(file.family)].push_back(std::move(*range));
    }
    return {};
}

Status RocksStore::ingest(const std::vector<SortedFile>& files) {
    if (failed_) return health();
    RETURN_IF_ERROR(check_overlap(files));
    std::vector<rocksdb::IngestExternalFileArg> arguments;
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
        const auto family = static_cast<Family>(i);
        rocksdb::IngestExternalFileArg argument;
        argument.column_family = handle(family);
        argument.options.move_files = true;
        argument.options.failed_move_fall_back_to_copy = true;
        argument.options.write_global_seqno = false;
        for (const SortedFile& file : files)
            if (file.family == family) argument.external_files.push_back(file.path);
        if (!argument.external_files.empty()) arguments.push_back(std::move(argument));
    }
    if (arguments.empty()) return {};
    const rocksdb::Status status = database_->IngestExternalFiles(arguments);
    if (!status.ok()) return rocks_error("cannot take sorted files into the store", status);
    return {};
}

std::uint64_t RocksStore::bytes_on_disk() const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
        std::uint64_t bytes = 0;
        if (database_->GetIntProperty(handle(static_cast<Family>(i)),
                                      rocksdb::DB::Properties::kTotalSstFilesSize, &bytes))
            total += bytes;
    }
    rocksdb::VectorLogPtr logs;
    if (database_->GetSortedWalFiles(logs).ok())
        for (const auto& log : logs) total += log->SizeFileBytes();
    return total;
}

std::uint64_t RocksStore::approximate_count(Family family) const {
    std::uint64_t count = 0;
    database_->GetIntProperty(handle(family), rocksdb::DB::Properties::kEstimateNumKeys, &count);
    return count;
}

void RocksStore::compact(Family family, std::string_view begin, std::string_view end) {
    const rocksdb::Slice first = slice(begin), last = slice(end);
    // Only a wish: what it does not reach, ordinary compaction will.
    (void)rocksdb::experimental::SuggestCompactRange(database_.get(), handle(family), &first,
                                                     end.empty() ? nullptr : &last);
}

}  // namespace

std::unique_ptr<Store> make_rocks_store(const RocksOptions& options,
                                        std::unique_ptr<rocksdb::DB> database,
                                        std::vector<rocksdb::ColumnFamilyHandle*> handles) {
    return std::make_unique<RocksStore>(options, std::move(database), std::move(handles));
}

}  // namespace posthorn
