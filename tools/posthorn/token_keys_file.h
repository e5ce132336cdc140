// Where a data directory keeps the keys of its tokens.
#pragma once

#include <string>

namespace posthorn {

inline std::string token_keys_file(const std::string& data_directory) {
    return data_directory + "/token.keys";
}

}  // namespace posthorn
