// Calls of libc as a failing machine answers them, in the place of libc's own: the dynamic linker
// gives the program's definitions to RocksDB and libuv as well.
#include "tests/crash/libc_faults.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace posthorn {
namespace {

FaultPage* map_page() {
    static FaultPage none{};
    const char* path = ::getenv("POSTHORN_FAULTS");
    if (path == nullptr) return &none;
    const auto file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
    void* page = ::mmap(nullptr, sizeof(FaultPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) ::abort();
    ::syscall(SYS_close, file);
    return static_cast<FaultPage*>(page);
}

FaultPage& faults() {
    static FaultPage* const page = map_page();
    return *page;
}

class KillPoints {
  public:
    KillPoints() {
        if (const char* at = ::getenv("POSTHORN_KILL_AT")) kill_at_ = std::atol(at);
        if (const char* log = ::getenv("POSTHORN_KILL_LOG"))
            log_ = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log,
                                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    }

    // True: the process is to end at this point.
    bool pass(const char* call, const char* path) {
        const long number = ++passed_;
        if (log_ >= 0) {
            char line[PATH_MAX + 64];
            const int size = std::snprintf(line, sizeof line, "%ld %s %s\n", number, call, path);
            ::syscall(SYS_write, log_, line, static_cast<std::size_t>(size));
        }
        return number == kill_at_;
    }

  private:
    long kill_at_ = 0;
    int log_ = -1;
    std::atomic<long> passed_ = 0;
};

KillPoints& points() {
    static KillPoints points;
    return points;
}

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    while (true) ::pause();
}

bool is_file(int descriptor) {
    struct stat found {};
    return ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

// Only what Posthorn keeps; its output may be a file, too.
bool is_kept(int descriptor, char (&path)[PATH_MAX]) {
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t size = ::readlink(link, path, sizeof path - 1);
    if (size <= 0) return false;
    path[size] = '\0';
    return std::strstr(path, "/posthorn-data") != nullptr;
}

void before(const char* call, int descriptor) {
    char path[PATH_MAX];
    if (is_kept(descriptor, path) && points().pass(call, path)) die();
}

void before(const char* call, const char* path) {
    if (points().pass(call, path)) die();
}

int fail(int code) {
    errno = code;
    return -1;
}

// 0: to be written as it is.
int write_fault(int descriptor, const void* bytes, std::size_t size) {
    if (descriptor <= 2 || !is_file(descriptor)) return 0;
    char path[PATH_MAX];
    if (!is_kept(descriptor, path)) return 0;
    if (faults().disk_full != 0) return ENOSPC;
    if (points().pass("write", path)) {
        ::syscall(SYS_write, descriptor, bytes, size / 2);  // torn
        die();
    }
    return 0;
}

bool sockets_are_gone() { return faults().no_descriptors >= 1; }
bool files_are_gone() { return faults().no_descriptors >= 2; }

}  // namespace
}  // namespace posthorn

using namespace posthorn;

extern "C" {

int fdatasync(int descriptor) {
    before("fdatasync", descriptor);
    if (faults().failing_syncs != 0 && is_file(descriptor)) return fail(EIO);
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

int fsync(int descriptor) {
    before("fsync", descriptor);
    if (faults().failing_syncs != 0 && is_file(descriptor)) return fail(EIO);
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int rename(const char* from, const char* to) noexcept {
    before("rename", to);
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int link(const char* from, const char* to) noexcept {
    before("link", to);
    return static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

ssize_t write(int descriptor, const void* bytes, std::size_t size) {
    if (const int fault = write_fault(descriptor, bytes, size)) return fail(fault);
    return ::syscall(SYS_write, descriptor, bytes, size);
}

int socket(int domain, int type, int protocol) noexcept {
    if (sockets_are_gone()) return fail(EMFILE);
    return static_cast<int>(::syscall(SYS_socket, domain, type, protocol));
}

int accept4(int descriptor, sockaddr* address, socklen_t* length, int flags) {
    if (sockets_are_gone()) return fail(EMFILE);
    return static_cast<int>(::syscall(SYS_accept4, descriptor, address, length, flags));
}

int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (files_are_gone()) return fail(EMFILE);
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int statvfs(const char* path, struct statvfs* figures) noexcept {
    struct statfs found {};
    if (::syscall(SYS_statfs, path, &found) != 0) return -1;
    std::memset(figures, 0, sizeof *figures);
    figures->f_bsize = figures->f_frsize = static_cast<unsigned long>(found.f_bsize);
    figures->f_blocks = found.f_blocks;
    figures->f_bfree = found.f_bfree;
    figures->f_bavail = found.f_bavail;
    if (const std::int64_t permille = faults().free_permille; permille != 0) {
        figures->f_blocks = 1'000'000;
        figures->f_bfree = figures->f_bavail = static_cast<fsblkcnt_t>(permille) * 1000;
    }
    return 0;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const auto failed = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
    if (failed == 0 && clock == CLOCK_REALTIME) {
        const std::int64_t offset = faults().wall_offset_us;
        time->tv_sec += offset / 1'000'000;
    }
    return failed;
}

}  // extern "C"
