#include "engine/queue/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace posthorn {

namespace {

Status write_all(int file, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("cannot write", path, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(file) != 0) return system_error("cannot sync", path, errno);
    return {};
}

}  // namespace

Error system_error(std::string_view doing, const std::string& path, int code) {
    std::string message = std::string(doing) + " " + path + ": " + std::strerror(code);
    if (code == ENOSPC || code == EDQUOT) message += "; make room on the disk and start again";
    return {ErrorKind::kIo, std::move(message)};
}

Status make_private_directory(const std::string& path) {
    const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
    std::filesystem::path part;
    for (const auto& name : whole) {
        part /= name;
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
            return system_error("cannot make the directory", part.string(), errno);
    }
    std::error_code error;
    if (!std::filesystem::is_directory(whole, error))
        return Error{ErrorKind::kIo, path + " is not a directory: choose another with --data"};
    return {};
}

Status sync_directory(const std::string& path) {
    const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return system_error("cannot open", path, errno);
    const int failed = ::fsync(directory) != 0 ? errno : 0;
    ::close(directory);
    if (failed != 0) return system_error("cannot sync", path, failed);
    return {};
}

Status write_file_durably(const std::string& path, std::string_view bytes) {
    // Two processes may begin on one directory at once: each renames a file of its own.
    const std::string beside = path + "." + std::to_string(::getpid()) + ".new";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return system_error("cannot write", beside, errno);
    const Status written = write_all(file, bytes, beside);
    ::close(file);
    RETURN_IF_ERROR(written);
    if (::rename(beside.c_str(), path.c_str()) != 0)
        return system_error("cannot rename to", path, errno);
    return sync_directory(std::filesystem::path(path).parent_path().string());
}

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return Error{ErrorKind::kNotFound, path + " does not exist"};
    if (file < 0) return system_error("cannot open", path, errno);
    std::string bytes(bytes_max + 1, '\0');
    std::size_t size = 0;
    ssize_t count = 0;
    while (size < bytes.size()) {
        count = ::read(file, bytes.data() + size, bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    const int failed = count < 0 ? errno : 0;
    ::close(file);
    if (failed != 0) return system_error("cannot read", path, failed);
    if (size > bytes_max) return Error{ErrorKind::kCorrupt, path + " is larger than it can be"};
    bytes.resize(size);
    return bytes;
}

}  // namespace posthorn
