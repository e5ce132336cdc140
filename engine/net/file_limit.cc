#include "engine/net/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {

std::uint64_t raise_open_file_limit(std::uint64_t wanted) {
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur >= wanted) return limit.rlim_cur;

    const rlimit raised{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;  // root, or within the hard limit
    const rlimit allowed{std::min<rlim_t>(limit.rlim_max, wanted), limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &allowed) == 0 ? allowed.rlim_cur : limit.rlim_cur;
}

}  // namespace posthorn
