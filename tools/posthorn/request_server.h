// The owner's ear: takes requests from the control socket, runs each on a thread of its own, and
// sends the answer back no faster than it is read. Also turns SIGINT and SIGTERM into a callback.
//
//   client: request                      server: line* end
//   server: {"continue":true}            client: any line        after every kUnreadBytesMax
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "engine/base/result.h"
#include "engine/net/control_socket.h"
#include "tools/posthorn/command.h"

namespace posthorn {

class RequestServer : private ControlEvents {
  public:
    // Called on a thread per request; several run at once. It must return soon after the sink says
    // that nobody reads, and after the owner ends.
    using Handler = std::function<CommandResult(std::string_view request, LineSink& sink)>;

    // signalled: on the server's thread, for every SIGINT and SIGTERM.
    static Result<std::unique_ptr<RequestServer>> start(const std::string& socket_path,
                                                        Handler handler,
                                                        std::function<void()> signalled);
    ~RequestServer();  // waits for the handlers that run

    static constexpr std::size_t kUnreadBytesMax = 1u << 20;

  private:
    class Job;

    RequestServer(Handler handler, std::function<void()> signalled);

    void line_received(ControlClientId client, std::string_view line) override;
    void client_gone(ControlClientId client) override;
    void job_ended(ControlClientId client);
    void end_when_idle();

    static constexpr Duration kLastLinesEvery{std::chrono::milliseconds(10)};

    Handler handler_;
    std::function<void()> signalled_;
    Loop loop_;
    std::unique_ptr<ControlSocket> socket_;
    std::unique_ptr<SignalWatch> interrupt_, terminate_;
    std::unique_ptr<Timer> last_lines_;
    int turns_left_ = 200;  // of waiting for clients to read their last lines
    std::map<ControlClientId, std::unique_ptr<Job>> jobs_;  // of the loop's thread
    bool ending_ = false;                                   // of the loop's thread
    std::thread thread_;
};

}  // namespace posthorn
