// Does the work of the named path once, for an instruction counter to look at: callgrind
// counts while posthorn_guarded runs. Prints how many operations that were.
#include <cstdio>
#include <string_view>

#include "bench/hot_paths.h"

extern "C" [[gnu::noinline]] void posthorn_guarded(posthorn::Work* work) {
    work->run();
    asm volatile("" ::: "memory");  // not a tail call: the function stays on the stack
}

int main(int argc, char** argv) {
    for (const posthorn::HotPath& path : posthorn::hot_paths()) {
        if (argc != 2 || path.name != std::string_view(argv[1])) continue;
        const auto work = path.prepare();
        posthorn_guarded(work.get());
        std::printf("%llu\n", static_cast<unsigned long long>(path.operations));
        return 0;
    }
    std::fprintf(stderr, "usage: guard_paths NAME, one of:\n");
    for (const posthorn::HotPath& path : posthorn::hot_paths())
        std::fprintf(stderr, "  %s\n", path.name);
    return 2;
}
