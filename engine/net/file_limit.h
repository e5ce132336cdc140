// The process's limit of open files.
#pragma once

#include <cstdint>

namespace posthorn {

// Raises it to `wanted` if that is allowed, else as far as it is; never lowers it. What holds now.
std::uint64_t raise_open_file_limit(std::uint64_t wanted);

}  // namespace posthorn
