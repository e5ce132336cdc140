// The asking side: hands a request to the process that owns the data directory and passes on what
// it answers, line by line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "tools/posthorn/command.h"

namespace posthorn {

inline constexpr std::string_view kControlSocketName = "/control.sock";

// kNotFound: nobody owns the directory, or not yet. The sink gets every line but the last.
Result<CommandResult> ask_owner(const std::string& data_directory, std::string_view request,
                                LineSink& sink);

}  // namespace posthorn
