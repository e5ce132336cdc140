#include "tests/queue/faulty_file_system.h"

#include <filesystem>

namespace posthorn {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus failure(DiskFault fault) {
    if (fault == DiskFault::kDiskIsFull) return IOStatus::NoSpace("no space left on the device");
    if (fault == DiskFault::kPowerLoss) return IOStatus::IOError("the power is gone");
    return IOStatus::IOError("input/output error");
}

}  // namespace

// Appends and syncs of one file, each through the fault.
class FaultyFileSystem::File : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    File(FaultyFileSystem& disk, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

    IOStatus Append(const rocksdb::Slice& bytes, const IOOptions& options,
                    IODebugContext* debug) override {
        const DiskFault fault = disk_.strike(Operation::kAppend);
        if (fault == DiskFault::kNone) return append(bytes, options, debug);
        if (const std::uint64_t part = disk_.part_of(bytes.size()); part > 0)
            (void)append({bytes.data(), part}, options, debug);
        return failure(fault);
    }
    IOStatus Append(const rocksdb::Slice& bytes, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
        return Append(bytes, options, debug);
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        return sync([&] { return target()->Sync(options, debug); });
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return sync([&] { return target()->Fsync(options, debug); });
    }
    // Only hints at what is to be written back.
    IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();
    }
    IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();
    }
    void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}

  private:
    IOStatus append(const rocksdb::Slice& bytes, const IOOptions& options, IODebugContext* debug) {
        const IOStatus status = target()->Append(bytes, options, debug);
        if (status.ok()) disk_.appended(path_, bytes.size());
        return status;
    }
    template <class Real>
    IOStatus sync(Real&& real) {
        const DiskFault fault = disk_.strike(Operation::kSync);
        if (fault == DiskFault::kNone) {
            const IOStatus status = real();
            if (status.ok()) disk_.synced(path_);
            return status;
        }
        disk_.sync_failed(path_);
        return fault == DiskFault::kSyncIsLost ? IOStatus::OK() : failure(fault);
    }

    FaultyFileSystem& disk_;
    std::string path_;
};

class FaultyFileSystem::Directory : public rocksdb::FSDirectoryWrapper {
  public:
    Directory(FaultyFileSystem& disk, std::string path,
              std::unique_ptr<rocksdb::FSDirectory> directory)
        : FSDirectoryWrapper(std::move(directory)), disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync(); }
    IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*,
                                 const rocksdb::DirFsyncOptions&) override {
        return sync();
    }

  private:
    IOStatus sync() {
        const DiskFault fault = disk_.strike(Operation::kSync);
        if (fault == DiskFault::kNone) disk_.directory_synced(path_);
        return fault == DiskFault::kNone || fault == DiskFault::kSyncIsLost ? IOStatus::OK()
                                                                            : failure(fault);
    }

    FaultyFileSystem& disk_;
    std::string path_;
};

FaultyFileSystem::FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

void FaultyFileSystem::plan(DiskFault fault, std::uint64_t operation, std::uint64_t seed) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    operations_left_ = operation;
    operations_ = 0;
    struck_ = false;
    random_ = Random(seed);
}

bool FaultyFileSystem::struck() const {
    const std::lock_guard lock(mutex_);
    return struck_;
}

std::uint64_t FaultyFileSystem::operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
}

DiskFault FaultyFileSystem::strike(Operation operation) {
    const std::lock_guard lock(mutex_);
    ++operations_;
    const bool lasts = fault_ == DiskFault::kPowerLoss || fault_ == DiskFault::kDiskIsFull ||
                       fault_ == DiskFault::kSyncIsLost;
    const bool fits =
        fault_ == DiskFault::kPowerLoss ||
        (operation == Operation::kSync
             ? fault_ == DiskFault::kSyncFails || fault_ == DiskFault::kSyncIsLost
             : operation == Operation::kAppend &&
                   (fault_ == DiskFault::kAppendFails || fault_ == DiskFault::kDiskIsFull));
    if (fault_ == DiskFault::kNone || !fits) return DiskFault::kNone;
    if (operations_left_ > 0) {
        --operations_left_;
        return DiskFault::kNone;
    }
    if (struck_ && !lasts) return DiskFault::kNone;
    struck_ = true;
    return fault_;
}

std::uint64_t FaultyFileSystem::part_of(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    return random_.below(bytes + 1);
}

void FaultyFileSystem::appended(const std::string& path, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    files_[path].written += bytes;
}

void FaultyFileSystem::synced(const std::string& path) {
    const std::lock_guard lock(mutex_);
    Known& file = files_[path];
    if (!file.hopeless) file.durable = file.written;
}

void FaultyFileSystem::sync_failed(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_[path].hopeless = true;
}

void FaultyFileSystem::directory_synced(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const std::string folder = std::filesystem::path(path + "/").parent_path().string();
    std::erase_if(changes_, [&](const NameChange& change) {
        const std::string& name = change.to.empty() ? change.from : change.to;
        if (std::filesystem::path(name).parent_path() != folder) return false;
        std::error_code error;
        if (!change.before.empty()) std::filesystem::remove(change.before, error);
        return true;
    });
}

void FaultyFileSystem::changed(NameChange change) {
    const std::lock_guard lock(mutex_);
    changes_.push_back(std::move(change));
}

// A second name for the file, under which it survives.
std::string FaultyFileSystem::put_aside(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::error_code error;
    const std::string aside = path + ".aside" + std::to_string(++put_aside_);
    std::filesystem::create_hard_link(path, aside, error);
    return error ? std::string() : aside;
}

void FaultyFileSystem::undo(const NameChange& change) {
    std::error_code error;
    if (!change.from.empty() && !change.to.empty())
        std::filesystem::rename(change.to, change.from, error);
    else if (!change.to.empty())
        std::filesystem::remove(change.to, error);
    const std::string& place = change.to.empty() ? change.from : change.to;
    if (!change.before.empty()) std::filesystem::rename(change.before, place, error);
}

IOStatus FaultyFileSystem::NewWritableFile(const std::string& path,
                                           const rocksdb::FileOptions& options,
                                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                                           IODebugContext* debug) {
    if (const DiskFault fault = strike(Operation::kName); fault != DiskFault::kNone)
        return failure(fault);
    std::unique_ptr<rocksdb::FSWritableFile> real;
    const IOStatus status = target()->NewWritableFile(path, options, &real, debug);
    if (!status.ok()) return status;
    changed({"", path, ""});
    {
        const std::lock_guard lock(mutex_);
        files_[path] = Known{};
    }
    *file = std::make_unique<File>(*this, path, std::move(real));
    return status;
}

IOStatus FaultyFileSystem::ReopenWritableFile(const std::string& path,
                                              const rocksdb::FileOptions& options,
                                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                                              IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSWritableFile> real;
    const IOStatus status = target()->ReopenWritableFile(path, options, &real, debug);
    if (status.ok()) *file = std::make_unique<File>(*this, path, std::move(real));
    return status;
}

IOStatus FaultyFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                                        IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSDirectory> real;
    const IOStatus status = target()->NewDirectory(path, options, &real, debug);
    if (status.ok()) *directory = std::make_unique<Directory>(*this, path, std::move(real));
    return status;
}

IOStatus FaultyFileSystem::RenameFile(const std::string& from, const std::string& to,
                                      const IOOptions& options, IODebugContext* debug) {
    if (const DiskFault fault = strike(Operation::kName); fault != DiskFault::kNone)
        return failure(fault);
    const std::string before = put_aside(to);
    const IOStatus status = target()->RenameFile(from, to, options, debug);
    if (!status.ok()) return status;
    changed({from, to, before});
    const std::lock_guard lock(mutex_);
    if (const auto known = files_.find(from); known != files_.end()) files_[to] = known->second;
    return status;
}

IOStatus FaultyFileSystem::LinkFile(const std::string& from, const std::string& to,
                                    const IOOptions& options, IODebugContext* debug) {
    if (const DiskFault fault = strike(Operation::kName); fault != DiskFault::kNone)
        return failure(fault);
    const IOStatus status = target()->LinkFile(from, to, options, debug);
    if (!status.ok()) return status;
    changed({"", to, ""});
    const std::lock_guard lock(mutex_);
    if (const auto known = files_.find(from); known != files_.end()) files_[to] = known->second;
    return status;
}

IOStatus FaultyFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                      IODebugContext* debug) {
    if (const DiskFault fault = strike(Operation::kName); fault != DiskFault::kNone)
        return failure(fault);
    const std::string before = put_aside(path);
    const IOStatus status = target()->DeleteFile(path, options, debug);
    if (status.ok()) changed({path, "", before});
    return status;
}

void FaultyFileSystem::lose_power() {
    const std::lock_guard lock(mutex_);
    // First the contents, under every name they have or had.
    std::error_code error;
    for (const auto& [path, file] : files_) {
        if (!std::filesystem::exists(path, error)) continue;
        // Some of what was not synced may have reached the disk nevertheless.
        const std::uint64_t more =
            file.hopeless ? 0 : random_.below(file.written - file.durable + 1);
        std::filesystem::resize_file(path, file.durable + more, error);
    }
    const std::uint64_t kept = random_.below(changes_.size() + 1);
    while (changes_.size() > kept) {
        undo(changes_.back());
        changes_.pop_back();
    }
    start_again();
}

void FaultyFileSystem::end_process() {
    const std::lock_guard lock(mutex_);
    start_again();
}

void FaultyFileSystem::start_again() {
    std::error_code error;
    for (const NameChange& change : changes_)
        if (!change.before.empty()) std::filesystem::remove(change.before, error);
    changes_.clear();
    files_.clear();
    fault_ = DiskFault::kNone;
}

}  // namespace posthorn
