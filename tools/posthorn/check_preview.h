// posthorn check and posthorn preview: they need a campaign file and nothing else, change nothing
// and ask nobody.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/server/config.h"
#include "tools/posthorn/command.h"

namespace posthorn {

// A line per fault and warning. Invalid input when there is a fault.
CommandResult run_check(const nlohmann::json& request, const Config& config, LineSink& sink);

// The message's bytes, raw; into request["out"] as a file when that is there.
CommandResult run_preview(const nlohmann::json& request, const Config& config, std::string& bytes,
                          LineSink& sink);

}  // namespace posthorn
