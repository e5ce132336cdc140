#include <rocksdb/transaction_log.h>
#include <sys/stat.h>

#include <filesystem>

#include "engine/queue/durable_file.h"
#include "engine/queue/rocks_database.h"

namespace posthorn {

namespace {

// The format of keys and records, in words, in a file of the directory: read before RocksDB is.
constexpr std::string_view kFormat = "posthorn store, format 2\n";
// Holds no ranked campaign, and is otherwise the same: it becomes the present one.
constexpr std::string_view kFormatBefore = "posthorn store, format 1\n";
constexpr std::string_view kFormatFile = "FORMAT";
constexpr std::size_t kFormatBytesMax = 200;

Status check_format(const std::string& directory) {
    const std::string path = directory + "/" + std::string(kFormatFile);
    const Result<std::string> found = read_small_file(path, kFormatBytesMax);
    if (found && *found == kFormat) return {};
    if (found && *found == kFormatBefore) return write_file_durably(path, kFormat);
    if (found)
        return Error{ErrorKind::kConflict,
                     directory + " was written by another version of Posthorn (" +
                         found->substr(0, found->find('\n')) + "; this one reads \"" +
                         std::string(kFormat.substr(0, kFormat.size() - 1)) +
                         "\"): use that version, or another directory"};
    if (found.error().kind != ErrorKind::kNotFound) return found.error();
    std::error_code error;
    if (std::filesystem::exists(directory + "/CURRENT", error))
        return Error{ErrorKind::kConflict, directory + " holds a database that is not Posthorn's" +
                                               ": choose another directory with --data"};
    return write_file_durably(path, kFormat);
}

// What stands at most in a log without a batch: an earlier release said how it would compress them.
constexpr std::uintmax_t kEmptyLogBytes = 11;

// RocksDB begins a log with every opening, and keeps an earlier one for ever that nothing was
// written to. They are passed over when the store is opened, so they can go; whoever opens owns the
// directory.
void remove_empty_logs(rocksdb::DB& database, const std::string& directory) {
    std::unique_ptr<rocksdb::LogFile> current;
    if (!database.GetCurrentWalFile(&current).ok()) return;
    const std::filesystem::path own = std::filesystem::path(current->PathName()).filename();
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        const std::filesystem::path& path = entry.path();
        std::error_code fault;
        if (path.extension() == ".log" && path.filename() < own &&
            entry.file_size(fault) <= kEmptyLogBytes)
            std::filesystem::remove(path, fault);
    }
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const std::string& directory,
                                                const RocksOptions& options) {
    RETURN_IF_ERROR(make_private_directory(directory));
    if (::chmod(directory.c_str(), 0700) != 0)
        return system_error("cannot make private", directory, errno);
    RETURN_IF_ERROR(check_format(directory));
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(
        database_options(options), directory, family_descriptors(options), &handles, &opened);
    if (!status.ok()) {
        Error error = rocks_error("cannot open the store in " + directory, status);
        if (error.kind == ErrorKind::kBusy)
            error.message = "another process owns the store in " + directory;
        return error;
    }
    remove_empty_logs(*opened, directory);
    return make_rocks_store(options, std::unique_ptr<rocksdb::DB>(opened), std::move(handles));
}

}  // namespace posthorn
