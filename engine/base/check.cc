#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace posthorn {

void check_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "posthorn: bug: CHECK(%s) failed at %s:%d\n", condition, file, line);
    std::fflush(stderr);
    std::abort();
}

}  // namespace posthorn
