// SHA-256 of contents: the name under which a template, partial or list is stored and compared.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

std::string sha256_hex(std::string_view bytes);  // 64 digits, lower case

// Of a whole file, read in blocks.
Result<std::string> sha256_hex_of_file(const std::string& path);

}  // namespace posthorn
