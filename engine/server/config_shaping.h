// The shaping file: what each mailbox provider takes, read like posthorn.json. All faults at once,
// with line and column.
#pragma once

#include <string_view>
#include <vector>

#include "engine/delivery/shaping.h"
#include "engine/server/config.h"

namespace posthorn {

struct LoadedShaping {
    Shaping shaping;  // to be used only when there are no errors
    std::vector<ConfigError> errors;
};

LoadedShaping read_shaping(std::string_view text);

}  // namespace posthorn
