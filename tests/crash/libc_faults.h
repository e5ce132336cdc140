// What the test build of posthorn lets a test do to it from outside, while it runs: a page of
// numbers in the file that POSTHORN_FAULTS names, mapped by both. Beside it, on start only:
//   POSTHORN_KILL_AT=N    kill -9 itself at the N-th point where bytes reach a file of the data
//                         directory: before a sync, rename or link, within a write
//   POSTHORN_KILL_LOG=F   write a line for each such point instead: number, call, file
#pragma once

#include <atomic>
#include <cstdint>

namespace posthorn {

// Eight octets each, in the order of this machine; zero does nothing.
struct FaultPage {
    std::atomic<std::int64_t> wall_offset_us;  // added to the wall clock
    std::atomic<std::int64_t>
        no_descriptors;                   // 1: no socket can be made (EMFILE); 2: no file opened
    std::atomic<std::int64_t> disk_full;  // writes to files fail: ENOSPC
    std::atomic<std::int64_t> free_permille;  // if not 0: what statvfs says is free, of 1000
    std::atomic<std::int64_t> failing_syncs;  // syncs of files fail: EIO
};

}  // namespace posthorn
