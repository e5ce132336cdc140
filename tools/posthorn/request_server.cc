#include "tools/posthorn/request_server.h"

#include <csignal>
#include <vector>

namespace posthorn {

// One request being carried out. The handler's thread writes, the loop's thread sends.
class RequestServer::Job : public LineSink {
  public:
    Job(RequestServer& server, ControlClientId client) : server_(server), client_(client) {}

    void run(std::string request) {
        thread_ = std::thread([this, request = std::move(request)] {
            CommandResult result = server_.handler_(request, *this);
            if (cut_off_ && result.exit == kDone)
                result = {kFailed, "the process that owns the data directory has ended: ask again"};
            batch_.push_back(end_line(result));
            post_batch();
            server_.loop_.post([&server = server_, client = client_] { server.job_ended(client); });
        });
    }

    // ---- The handler's thread.
    bool line(std::string_view json) override {
        batch_.emplace_back(json);
        batch_bytes_ += json.size() + 1;
        return batch_bytes_ < kBatchBytes ? !gone() : flush();
    }

    bool flush() override {
        unread_bytes_ += batch_bytes_;
        const bool ask = unread_bytes_ > kUnreadBytesMax;
        if (ask) batch_.emplace_back("{\"continue\":true}");
        post_batch();
        if (ask) wait_until_read();
        return !gone();
    }

    // ---- The loop's thread.
    void client_read() {
        {
            const std::lock_guard lock(mutex_);
            read_ = true;
        }
        changed_.notify_all();
    }
    void client_gone() {
        {
            const std::lock_guard lock(mutex_);
            gone_ = true;
        }
        changed_.notify_all();
    }
    void server_ends() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
    }
    void join() { thread_.join(); }

  private:
    static constexpr std::size_t kBatchBytes = 32u << 10;

    bool gone() {
        const std::lock_guard lock(mutex_);
        return gone_;
    }

    void post_batch() {
        if (batch_.empty()) return;
        server_.loop_.post([&server = server_, client = client_, lines = std::move(batch_)] {
            for (const std::string& line : lines)
                if (!server.socket_->send(client, line)) return;
        });
        batch_ = {};
        batch_bytes_ = 0;
    }

    void wait_until_read() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return read_ || gone_ || ending_; });
        // A listing that its reader pauses may not keep the owner from ending.
        if (!read_ && ending_) gone_ = cut_off_ = true;
        read_ = false;
        unread_bytes_ = 0;
    }

    RequestServer& server_;
    ControlClientId client_;
    std::thread thread_;
    std::vector<std::string> batch_;
    std::size_t batch_bytes_ = 0;
    std::size_t unread_bytes_ = 0;  // sent since the client last said that it reads
    std::mutex mutex_;
    std::condition_variable changed_;
    bool read_ = false;  // under the mutex
    bool gone_ = false;
    bool ending_ = false;
    bool cut_off_ = false;  // of the handler's thread
};

RequestServer::RequestServer(Handler handler, std::function<void()> signalled)
    : handler_(std::move(handler)), signalled_(std::move(signalled)) {}

Result<std::unique_ptr<RequestServer>> RequestServer::start(const std::string& socket_path,
                                                            Handler handler,
                                                            std::function<void()> signalled) {
    std::unique_ptr<RequestServer> server(
        new RequestServer(std::move(handler), std::move(signalled)));
    auto socket = ControlSocket::listen(server->loop_, socket_path, *server);
    if (!socket) return socket.error();
    server->socket_ = std::move(socket).value();
    server->last_lines_ =
        std::make_unique<Timer>(server->loop_, [raw = server.get()] { raw->end_when_idle(); });
    const auto received = [raw = server.get()](int) { raw->signalled_(); };
    server->interrupt_ = std::make_unique<SignalWatch>(server->loop_, SIGINT, received);
    server->terminate_ = std::make_unique<SignalWatch>(server->loop_, SIGTERM, received);
    server->thread_ = std::thread([raw = server.get()] { raw->loop_.run(); });
    return server;
}

RequestServer::~RequestServer() {
    if (!thread_.joinable()) return;
    loop_.post([this] {
        ending_ = true;
        for (const auto& [client, job] : jobs_) job->server_ends();
        end_when_idle();
    });
    thread_.join();
}

// Ends the loop once every handler has ended and the last lines have been written, or after a while
// of waiting for a client that does not read them.
void RequestServer::end_when_idle() {
    if (!ending_ || !jobs_.empty()) return;
    if (socket_->clients() > 0 && turns_left_ > 0) {
        --turns_left_;
        last_lines_->arm(loop_.now().instant + kLastLinesEvery);
        return;
    }
    loop_.stop();
}

void RequestServer::line_received(ControlClientId client, std::string_view line) {
    const auto at = jobs_.find(client);
    if (at != jobs_.end()) {
        at->second->client_read();
        return;
    }
    if (ending_) {
        socket_->close(client);
        return;
    }
    Job& job = *jobs_.emplace(client, std::make_unique<Job>(*this, client)).first->second;
    job.run(std::string(line));
}

void RequestServer::client_gone(ControlClientId client) {
    const auto at = jobs_.find(client);
    if (at != jobs_.end()) at->second->client_gone();
}

void RequestServer::job_ended(ControlClientId client) {
    const auto at = jobs_.find(client);
    at->second->join();
    jobs_.erase(at);
    socket_->close(client);
    end_when_idle();
}

}  // namespace posthorn
