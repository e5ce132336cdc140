#include "engine/server/sender_thread.h"

#include <pthread.h>

#include "engine/base/check.h"

namespace posthorn {

class SenderThread::Connection : public TcpEvents {
  public:
    Connection(SenderThread& owner, SlotId slot) : owner_(owner), slot_(slot) {}

    Status open(Loop& loop, const ConnectOrder& order) {
        auto connected =
            TcpConnection::connect(loop, {order.address, order.port}, order.local_address, *this);
        if (!connected) return connected.error();
        tcp_ = std::move(*connected);
        return {};
    }

    void connected() override { owner_.sender_.connected(slot_, owner_.loop_.now()); }
    void bytes_received(std::string_view bytes) override {
        owner_.sender_.bytes_received(slot_, bytes, owner_.loop_.now());
    }
    void writable() override {
        blocked_ = false;
        owner_.write(slot_);
    }
    void connection_lost(std::string_view why) override {
        owner_.sender_.connection_lost(slot_, why, owner_.loop_.now());
    }

    // Writes what it can; the kernel says when it takes more.
    void flush(std::string_view bytes) {
        if (blocked_ || bytes.empty()) return;
        const std::size_t count = tcp_->write(bytes);
        blocked_ = count < bytes.size();
        owner_.sender_.bytes_written(slot_, count, owner_.loop_.now());
    }

  private:
    SenderThread& owner_;
    SlotId slot_;
    std::unique_ptr<TcpConnection> tcp_;
    bool blocked_ = false;
};

SenderThread::SenderThread(SenderOptions options, std::shared_ptr<const Classifier> classifier,
                           std::size_t orders_max, Mailbox<SenderReport>& reports)
    : wake_(loop_, [this] { take_orders(); }),
      orders_(orders_max, &wake_),
      reports_(reports),
      sender_(options, std::move(classifier)),
      timer_(loop_, [this] { sender_.deadline_passed(loop_.now()); }),
      turn_end_(loop_, [this] { end_turn(); }) {}

SenderThread::~SenderThread() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    connections_.clear();
}

void SenderThread::start() {
    thread_ = std::thread([this] { loop_.run(); });
    pthread_setname_np(thread_.native_handle(), "sender");
}

void SenderThread::abort() {
    loop_.post([this] { sender_.abort_all(loop_.now()); });
}

void SenderThread::take_orders() {
    orders_.take(taken_);
    for (SenderOrder& order : taken_) sender_.ordered(std::move(order), loop_.now());
    taken_.clear();
}

// Everything that this turn made is carried out: one write for each session with output.
void SenderThread::end_turn() {
    SenderOutput& output = sender_.output();
    while (!output.connects.empty() || !output.writes.empty() || !output.closes.empty()) {
        const auto connects = std::exchange(output.connects, {});
        const auto writes = std::exchange(output.writes, {});
        const auto closes = std::exchange(output.closes, {});
        for (const ConnectOrder& order : connects) connect(order);
        for (const SlotId slot : writes) write(slot);
        for (const SlotId slot : closes) connections_.erase(slot);
    }
    if (!output.reports.empty()) {
        CHECK(reports_.try_push_all(output.reports) || reports_.closed());
        output.reports.clear();
    }
    timer_.arm(sender_.deadline());
}

void SenderThread::connect(const ConnectOrder& order) {
    auto connection = std::make_unique<Connection>(*this, order.slot);
    if (const Status opened = connection->open(loop_, order); !opened) {
        sender_.connection_lost(order.slot, opened.error().message, loop_.now());
        return;
    }
    connections_.emplace(order.slot, std::move(connection));
}

void SenderThread::write(SlotId slot) {
    const auto connection = connections_.find(slot);
    if (connection != connections_.end()) connection->second->flush(sender_.bytes_to_write(slot));
}

}  // namespace posthorn
