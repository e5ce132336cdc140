#include "tools/posthorn/command.h"

#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"

namespace posthorn {

CommandResult failed(const Error& error) {
    switch (error.kind) {
        case ErrorKind::kInvalid:
        case ErrorKind::kNotFound:
        case ErrorKind::kConflict:
            return {kInvalidInput, error.message};
        case ErrorKind::kIo:
        case ErrorKind::kCorrupt:
        case ErrorKind::kBusy:
            break;
    }
    return {kFailed, error.message};
}

CommandResult invalid_input(std::string error) { return {kInvalidInput, std::move(error)}; }

std::string end_line(const CommandResult& result) {
    nlohmann::json line = {{"end", true}, {"exit", result.exit}};
    if (!result.error.empty()) line["error"] = result.error;
    return json_line(line);
}

}  // namespace posthorn
