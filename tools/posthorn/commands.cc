#include "tools/posthorn/commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/posthorn/check_preview.h"
#include "tools/posthorn/json_fields.h"

namespace posthorn {

namespace {

struct Command {
    std::string_view name;
    CommandHandler* handler;
    bool about_stored;
};

constexpr Command kCommands[] = {
    {"status", show_status, true},
    {"report", show_report, true},
    {"recipients", show_recipients, true},
    {"events", show_events, true},
    {"trace", trace_address, true},
    {"pause", pause_campaign, true},
    {"resume", resume_campaign, true},
    {"cancel", cancel_campaign, true},
    {"set", set_campaign, true},
    {"purge", purge_campaign, true},
    {"hold", hold_domain, false},
    {"release", release_domain, false},
    {"flush", flush_domain, true},
    {"explain", explain_domain, true},
    {"tls-results", show_tls_results, true},
    {"suppress", change_suppressions, false},
    {"unsubscribe", unsubscribe_token, true},
    {"forget", forget_address, true},
    {"check", check_on_store, false},
};

const Command* find_command(std::string_view name) {
    const auto at = std::find_if(std::begin(kCommands), std::end(kCommands),
                                 [&](const Command& command) { return command.name == name; });
    return at == std::end(kCommands) ? nullptr : at;
}

}  // namespace

CommandResult check_on_store(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    return run_check(request, context.config, &context.store, sink);
}

CommandResult run_command(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink) {
    const std::string name = text_field(request, "command");
    const Command* command = find_command(name);
    if (command == nullptr) return invalid_input("'" + name + "' is not a command");
    return command->handler(context, request, sink);
}

bool needs_data_directory(std::string_view command) {
    const Command* found = find_command(command);
    return found != nullptr && found->about_stored;
}

}  // namespace posthorn
