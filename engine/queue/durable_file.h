// Small files that are whole or not there: written beside, synced, renamed. Directories are private
// (mode 0700), files 0600. Errors name the path and what the system said.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

Status make_private_directory(const std::string& path);  // and its parents; as it is when there
Status sync_directory(const std::string& path);

Status write_file_durably(const std::string& path, std::string_view bytes);

// kNotFound when there is none; kCorrupt beyond bytes_max.
Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max);

// errno as an error: kIo, with advice where the disk is full.
Error system_error(std::string_view doing, const std::string& path, int code);

}  // namespace posthorn
