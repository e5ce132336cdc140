// A sender: the sessions of one thread. Orders, bytes and time in; bytes, connects, closes and
// reports out. Renders each message when its session wants it, and says of every leased recipient
// how its attempt ended. A value without I/O: the runtime's loop or the simulator's wire moves the
// bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/delivery/messages.h"
#include "engine/mail/classifier.h"
#include "engine/smtp/client_session.h"

namespace posthorn {

struct SenderOptions {
    Rung max_rung = Rung::kChunkingAhead;
    ClientTimeouts timeouts;
    Duration connect_timeout{std::chrono::seconds(30)};  // Postfix's; RFC 5321 names none
};

struct ConnectOrder {
    SlotId slot = 0;
    IpAddress address;
    std::uint16_t port = 0;
    std::optional<IpAddress> local_address;
};

// The peer waits for a handshake: tls_started() or tls_failed() follows.
struct TlsOrder {
    SlotId slot = 0;
    std::shared_ptr<const TlsPolicy> policy;
};

struct SenderOutput {
    std::vector<ConnectOrder> connects;
    std::vector<TlsOrder> handshakes;
    std::vector<SlotId> writes;  // sessions that have output()
    std::vector<SlotId> closes;  // drop the connection; nothing more is said of the slot
    std::vector<SenderReport> reports;

    void clear();
};

class Sender {
  public:
    Sender(SenderOptions options, std::shared_ptr<const Classifier> classifier);
    ~Sender();

    // ---- Inputs. Slots that are not there any more are ignored; their leases come back.
    void ordered(SenderOrder order, Now now);
    void connected(SlotId slot, Now now);
    void tls_started(SlotId slot, const TlsFacts& facts, Now now);
    void tls_failed(SlotId slot, TlsResult result, std::string_view why, Now now);
    void connection_lost(SlotId slot, std::string_view why, Now now);  // failed to connect, too
    void bytes_received(SlotId slot, std::string_view bytes, Now now);
    void bytes_written(SlotId slot, std::size_t count, Now now);
    void deadline_passed(Now now);
    void abort_all(Now now);  // every connection at once; what is in flight is uncertain

    // ---- Outputs, carried out and cleared by the caller.
    SenderOutput& output() { return output_; }
    std::string_view bytes_to_write(SlotId slot) const;
    std::optional<Instant> deadline() const;

    std::size_t sessions() const { return sessions_.size(); }

  private:
    struct Session;
    struct Item;
    struct QueuedLease;

    void open(const OpenSession& order, Now now);
    void lease_arrived(std::shared_ptr<const Lease> lease, Now now);
    void begin_talk(Session& session, Now now);
    void want_handshake(Session& session, Now now);
    void close_politely(Session& session, Now now);
    void start_nothing_more(Session& session);
    void progress(Session& session, Now now);
    bool handle(Session& session, const ClientEvent& event, Now now);
    void transaction_finished(Session& session, const client::TransactionFinished& event, Now now);
    void session_failed(Session& session, const client::Failed& failure);
    bool lost_its_way(const Session& session, const Reply& reply, bool local) const;
    bool start_next(Session& session, Now now);
    void write_message(Session& session, TransactionId transaction, Now now);
    void finish(Session& session, TransactionId transaction, AttemptEnd end, Stage stage,
                const Reply& reply, Now now);
    void refused(Session& session, const client::RecipientRefused& event, Now now);
    void return_queued(Session& session);
    void return_expired(Session& session, Now now);
    void report(Session& session, const Item& item, AttemptEnd end, Stage stage, const Reply& reply,
                Now now);
    void end(Session& session, Now now);
    void arm(Session& session);
    void give_back(const Lease& lease, std::size_t from);
    RenderRequest request_of(const Item& item, Now now);

    SenderOptions options_;
    std::shared_ptr<const Classifier> classifier_;
    std::unordered_map<SlotId, std::unique_ptr<Session>> sessions_;
    std::priority_queue<std::pair<Instant, SlotId>, std::vector<std::pair<Instant, SlotId>>,
                        std::greater<>>
        timers_;  // one entry per session at or before its deadline; re-armed lazily
    SenderOutput output_;
    RenderedMessage rendered_;                       // reused for every message
    std::pair<SlotId, TransactionId> rendered_for_;  // whose whole message it is; 0: nobody's
    std::unordered_set<const Renderer*> refusing_;   // only compared, never followed
    std::string audience_key_;
};

}  // namespace posthorn
