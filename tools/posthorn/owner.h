// The process that owns a data directory: the store, and while it delivers the runtime, the control
// socket and the signals. Ctrl-C stops it cleanly, a second one at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "tools/posthorn/commands.h"

namespace posthorn {

class Owner {
  public:
    // kBusy: another process owns the directory.
    static Result<std::unique_ptr<Owner>> open(const std::string& data_directory,
                                               const Config& config);
    ~Owner();

    CommandContext& context() { return context_; }

    // Delivers until somebody stops it, or, with kEndWithWork, until the work and all sendings that
    // were handed over have ended. The work runs on a thread of its own.
    using Work = std::function<CommandResult(CommandContext&)>;
    enum class Lasts : std::uint8_t { kEndWithWork, kUntilStopped };
    CommandResult run(const Work& work, Lasts lasts);

    // Remarks for the operator's eyes; set before run().
    std::function<void(const std::string&)> remark = [](const std::string&) {};

  private:
    Owner(std::unique_ptr<Store> store, std::string data_directory, const Config& config);

    Status start_runtime();
    CommandResult serve_request(std::string_view request, LineSink& sink);
    void sending_ended();
    void signalled();

    std::unique_ptr<Store> store_;
    CommandContext context_;
    ViewFeed views_;
    SendLocks locks_;
    std::unique_ptr<Runtime> runtime_;
    std::atomic<int> sendings_{0};  // that keep the owner from ending
    std::atomic<int> signals_{0};
};

}  // namespace posthorn
