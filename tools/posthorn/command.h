// What a command is: a request in, lines of JSON out, and how it ended. The same handler serves a
// command in the process that was started for it and one that came over the control socket.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "tools/posthorn/arguments.h"

namespace posthorn {

struct CommandResult {
    int exit = kDone;
    std::string error;  // one sentence; empty: none
};

CommandResult failed(const Error& error);  // exit code by kind
CommandResult invalid_input(std::string error);

// Where a command's answer goes, one JSON object a line. Used by one thread.
class LineSink {
  public:
    virtual ~LineSink() = default;
    virtual bool line(std::string_view json) = 0;  // false: nobody reads any more, stop
    virtual bool flush() = 0;                      // what was given so far is to be seen now
};

// {"end":true,"exit":N,"error":…}: the last line of an answer over the socket.
std::string end_line(const CommandResult& result);

}  // namespace posthorn
