// The commands that read or change what is stored, by name. They run in the process that owns the
// data directory: with a runtime when it delivers, without one when a single command has opened the
// store for itself. Reading never touches the scheduler's loop.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/queue/store.h"
#include "engine/server/config.h"
#include "engine/server/runtime.h"
#include "tools/posthorn/command.h"
#include "tools/posthorn/view_feed.h"

namespace posthorn {

// Sendings in one process take turns in what only one may do at a time.
struct SendLocks {
    std::mutex entering;   // giving a campaign its number
    std::mutex importing;  // one list at a time; whoever waits finds it done
};

struct CommandContext {
    Store& store;
    std::string directory;  // the data directory
    Config config;
    std::function<Now()> clock;
    Runtime* runtime = nullptr;  // null: nothing is being delivered
    ViewFeed* views = nullptr;   // together with the runtime

    SendLocks* locks = nullptr;                             // together with the runtime
    std::function<bool()> stopping = [] { return false; };  // asked to end soon

    WallTime now() const { return clock().wall; }
};

// Carries out any command but send, serve and those that need no store. A request that is not one
// is invalid input.
CommandResult run_command(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink);

// Whether the command is about what is stored already, so that without a data directory there is
// nothing to do it with. The others make one.
bool needs_data_directory(std::string_view command);

// ---- One each, in commands_*.cc.
using CommandHandler = CommandResult(const CommandContext&, const nlohmann::json&, LineSink&);
CommandHandler show_status, show_report, show_recipients, show_events, trace_address,
    pause_campaign, resume_campaign, cancel_campaign, set_campaign, purge_campaign, hold_domain,
    release_domain, flush_domain, explain_domain, show_tls_results, change_suppressions,
    unsubscribe_token, forget_address, check_on_store;

}  // namespace posthorn
