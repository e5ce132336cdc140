// A sender on a thread and a loop of its own: carries its orders, moves the bytes of its sessions,
// and hands its reports to the scheduler's mailbox. Output of many events is written once per turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/delivery/sender.h"
#include "engine/net/loop.h"
#include "engine/net/mailbox.h"
#include "engine/net/tcp.h"
#include "engine/net/tls_client.h"
#include "engine/server/sender_connection.h"

namespace posthorn {

class SenderThread {
  public:
    // Both mailboxes are large enough for all that can be under way (DeliveryLimits), so no push
    // fails.
    SenderThread(SenderOptions options, std::shared_ptr<const Classifier> classifier, TlsClient tls,
                 std::size_t orders_max, Mailbox<SenderReport>& reports);
    ~SenderThread();  // stops and joins

    void start();
    Mailbox<SenderOrder>& orders() { return orders_; }
    void abort();  // any thread: see Sender::abort_all

  private:
    void take_orders();
    void write_if_many();
    void end_turn();
    void connect(const ConnectOrder& order);
    void write(SlotId slot);
    void start_tls(const TlsOrder& order);

    Loop loop_;
    Wake wake_;
    Mailbox<SenderOrder> orders_;
    Mailbox<SenderReport>& reports_;
    Sender sender_;
    TlsClient tls_;
    const std::function<void()> write_if_many_ = [this] { write_if_many(); };
    Timer timer_;
    TurnEnd turn_end_;
    std::unordered_map<SlotId, std::unique_ptr<SenderConnection>> connections_;
    std::vector<SenderOrder> taken_;
    std::vector<SlotId> written_now_;
    std::thread thread_;
};

}  // namespace posthorn
