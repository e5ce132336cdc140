// The command line: options and what they mean, made into a request, one JSON object on one line,
// that is carried out by this process or by the one that owns the data directory.
//
//   request := {"command": NAME, …}    keys by command: see arguments.cc
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace posthorn {

enum ExitCode : int { kDone = 0, kFailed = 1, kInvalidInput = 2, kStopped = 3 };

struct Invocation {
    std::string command;  // "suppress", "report", …
    std::string request;  // one line of JSON
    std::string data_directory = "./posthorn-data";
    std::string config_file = "./posthorn.json";
    bool config_given = false;  // then the file must be there
    bool json = false;
    bool csv = false;
    bool quiet = false;
};

// Nothing to carry out: help or version for standard output, or a fault for standard error.
struct UsageText {
    std::string text;
    int exit = kDone;
};

// arguments: without the program's name.
std::variant<Invocation, UsageText> parse_arguments(const std::vector<std::string>& arguments);

}  // namespace posthorn
