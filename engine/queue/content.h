// The content of campaigns: templates, partials and attachments, each stored once under the SHA-256
// of its bytes, whatever file it came from.
#pragma once

#include <string>
#include <string_view>

#include "engine/queue/store.h"

namespace posthorn {

std::string content_hash(std::string_view bytes);  // 64 hexadecimal digits, lower case

// Returns the hash. Bytes that are there already are not written again.
Result<std::string> put_content(Store& store, std::string_view bytes);

// kNotFound, or kCorrupt when the bytes are no longer those of the hash.
Result<std::string> get_content(const Store& store, std::string_view hash);

}  // namespace posthorn
