#include "tools/posthorn/remote.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "engine/net/control_client.h"
#include "tools/posthorn/json_fields.h"

namespace posthorn {

namespace {

// Cheap to see, for most lines are neither.
bool may_be_control(std::string_view line) {
    return line.starts_with("{\"end\"") || line.starts_with("{\"continue\"") ||
           line.find("\"end\":true") != std::string_view::npos;
}

}  // namespace

Result<CommandResult> ask_owner(const std::string& data_directory, std::string_view request,
                                LineSink& sink) {
    auto client = ControlClient::connect(data_directory + std::string(kControlSocketName));
    if (!client) return client.error();
    RETURN_IF_ERROR(client->send(request));
    bool answered = false;
    while (true) {
        auto line = client->read_line();
        if (!line) return line.error();
        // Before the first line nothing was done: the request can go to the next owner.
        if (!line->has_value())
            return Error{answered ? ErrorKind::kIo : ErrorKind::kBusy,
                         "the process that owns the data directory has ended within its answer"};
        const std::string& text = **line;
        answered = true;
        if (may_be_control(text)) {
            const nlohmann::json control = parse_json_object(text);
            if (true_field(control, "continue")) {
                RETURN_IF_ERROR(client->send("{}"));
                continue;
            }
            if (true_field(control, "end"))
                return CommandResult{static_cast<int>(count_field(control, "exit")),
                                     text_field(control, "error")};
        }
        if (!sink.line(text)) return CommandResult{};
    }
}

}  // namespace posthorn
