#include "engine/server/sender_thread.h"

#include <pthread.h>

#include "engine/base/check.h"

namespace posthorn {

namespace {

constexpr std::size_t kSessionsHeldMax = 32;  // with output; a core's L2 holds their messages

}  // namespace

SenderThread::SenderThread(SenderOptions options, std::shared_ptr<const Classifier> classifier,
                           TlsClient tls, std::size_t orders_max, Mailbox<SenderReport>& reports)
    : wake_(loop_, [this] { take_orders(); }),
      orders_(orders_max, &wake_),
      reports_(reports),
      sender_(options, std::move(classifier)),
      tls_(std::move(tls)),
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
    for (SenderOrder& order : taken_) {
        sender_.ordered(std::move(order), loop_.now());
        write_if_many();
    }
    taken_.clear();
}

// Messages of a thousand sessions, rendered within one turn, need not all wait for its end.
void SenderThread::write_if_many() {
    std::vector<SlotId>& writes = sender_.output().writes;
    if (writes.size() < kSessionsHeldMax) return;
    written_now_.swap(writes);
    for (const SlotId slot : written_now_) write(slot);
    written_now_.clear();
}

// Everything that this turn made is carried out: one write for each session with output.
void SenderThread::end_turn() {
    SenderOutput& output = sender_.output();
    while (!output.connects.empty() || !output.handshakes.empty() || !output.writes.empty() ||
           !output.closes.empty()) {
        const auto connects = std::exchange(output.connects, {});
        const auto handshakes = std::exchange(output.handshakes, {});
        const auto writes = std::exchange(output.writes, {});
        const auto closes = std::exchange(output.closes, {});
        for (const ConnectOrder& order : connects) connect(order);
        for (const SlotId slot : writes) write(slot);
        for (const TlsOrder& order : handshakes) start_tls(order);
        for (const SlotId slot : closes) connections_.erase(slot);
    }
    if (!output.reports.empty()) {
        CHECK(reports_.try_push_all(output.reports) || reports_.closed());
        output.reports.clear();
    }
    timer_.arm(sender_.deadline());
}

void SenderThread::connect(const ConnectOrder& order) {
    auto connection = std::make_unique<SenderConnection>(sender_, loop_, tls_, order.slot,
                                                         write_if_many_);
    if (const Status opened = connection->open(order); !opened) {
        sender_.connection_lost(order.slot, opened.error().message, loop_.now());
        return;
    }
    connections_.emplace(order.slot, std::move(connection));
}

void SenderThread::write(SlotId slot) {
    const auto connection = connections_.find(slot);
    if (connection != connections_.end()) connection->second->flush();
}

void SenderThread::start_tls(const TlsOrder& order) {
    const auto connection = connections_.find(order.slot);
    if (connection != connections_.end()) connection->second->start_tls(order.policy);
}

}  // namespace posthorn
