// A disk that fails, under RocksDB: it forgets at a loss of power what was not synced, tears what
// was being written, fails operations, claims syncs that never were, and runs full. Files live in
// the real file system; what of them is durable is kept here.
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/random.h"

namespace posthorn {

enum class DiskFault : std::uint8_t {
    kNone,
    kPowerLoss,    // from the chosen operation on nothing is done any more
    kAppendFails,  // EIO, a part is written
    kSyncFails,    // EIO, and what was to be synced never will be
    kSyncIsLost,   // this sync and all that follow say done and are not
    kDiskIsFull    // ENOSPC for all that would grow a file, until there is room
};
inline constexpr std::size_t kDiskFaultCount = 6;

class FaultyFileSystem : public rocksdb::FileSystemWrapper {
  public:
    FaultyFileSystem();
    const char* Name() const override { return "faulty"; }

    // Strikes at the so-manieth operation from now that changes anything and that it can strike.
    void plan(DiskFault fault, std::uint64_t operation, std::uint64_t seed);
    bool struck() const;
    std::uint64_t operations() const;

    // The machine starts again: what was not durable is gone or torn. Nothing may be open.
    void lose_power();
    // The process ends, the machine goes on: all that was written stays.
    void end_process();

    rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus ReopenWritableFile(const std::string& path,
                                         const rocksdb::FileOptions& options,
                                         std::unique_ptr<rocksdb::FSWritableFile>* file,
                                         rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                   std::unique_ptr<rocksdb::FSDirectory>* directory,
                                   rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                                 const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;

  private:
    class File;
    class Directory;
    struct Known {
        std::uint64_t written = 0;
        std::uint64_t durable = 0;
        bool hopeless = false;  // a sync of it failed or was lost: later ones change nothing
    };
    // A name made, moved or taken away and not yet durable. Names become so in their order, as
    // journaling file systems keep it; a loss of power leaves some beginning of them.
    struct NameChange {
        std::string from, to;  // to only: made; from only: taken away
        std::string before;    // where what stood at `to` or `from` was put aside; empty: nothing
    };
    enum class Operation : std::uint8_t { kName, kAppend, kSync };

    // What an operation is to come to; kNone: go on.
    DiskFault strike(Operation operation);
    void appended(const std::string& path, std::uint64_t bytes);
    void synced(const std::string& path);
    void sync_failed(const std::string& path);
    void directory_synced(const std::string& path);
    void changed(NameChange change);
    std::string put_aside(const std::string& path);
    void undo(const NameChange& change);
    void start_again();
    std::uint64_t part_of(std::uint64_t bytes);

    mutable std::mutex mutex_;
    DiskFault fault_ = DiskFault::kNone;
    std::uint64_t operations_left_ = 0;
    std::uint64_t operations_ = 0;
    bool struck_ = false;
    Random random_{1};
    std::map<std::string, Known> files_;  // written to since the last start
    std::vector<NameChange> changes_;
    std::uint64_t put_aside_ = 0;
};

}  // namespace posthorn
