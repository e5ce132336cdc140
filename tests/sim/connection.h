// One connection of the simulated wire with its server's end: bytes take their time, arrive in
// pieces, are lost in a reset; the receiver's session is the real one and answers by its moods.
// Goes on when the client's process has ended: what was on the wire still arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/smtp/server_session.h"
#include "tests/sim/receiver.h"
#include "tests/sim/scene.h"

namespace posthorn::sim {

// The end that belongs to a sender.
class Client {
  public:
    virtual ~Client() = default;
    virtual void connected(SlotId slot) = 0;
    virtual void bytes_received(SlotId slot, std::string_view bytes) = 0;
    virtual void writable(SlotId slot) = 0;
    virtual void connection_lost(SlotId slot, std::string_view why) = 0;
    virtual void tls_started(SlotId slot, bool proved) = 0;
    virtual void tls_failed(SlotId slot, TlsResult result) = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Scene& scene, Receiver& receiver, Client& client, SlotId slot);
    ~Connection();

    void open();
    std::size_t write(std::string_view bytes);  // how many the kernel takes
    void start_tls(const TlsPolicy& policy);    // the client's first word of a handshake
    void close();                               // by the client, or with its process
    bool over() const { return client_ == nullptr && server_over_; }
    void settle_accounts();  // at the end of the world, too

  private:
    struct Acceptance {
        Truth* truth;
        std::uint64_t reply_end;  // of all bytes said to the client
    };

    void after_latency(Instant& last, std::function<void()> action);
    void arrive(std::string bytes);
    void feed();
    std::string_view remembered(std::string_view bytes);
    void drain();
    void tls_wanted();
    void hello_arrived(bool verify);
    void check_tls_policy();
    void asked(const ServerSession::Ask& ask);
    void dealt_with(const ServerSession::Ask& ask);
    void answer(Stage stage, bool chunking, const Decision& decision);
    void answered(Stage stage, bool chunking, bool positive, std::uint16_t code, bool told);
    void take_output();
    void spoken_for_itself(std::string_view bytes);
    void say(std::string bytes);
    void end_of_input();
    void finish_server(std::string_view why);
    void reset();
    void watch_deadline();
    bool watched() const { return client_ != nullptr && life_ == scene_.life; }

    Scene& scene_;
    Receiver& receiver_;
    Client* client_;  // null once it has closed or its process is gone
    SlotId slot_;
    std::uint32_t life_;
    std::optional<ServerSession> session_;
    Visit visit_;
    std::string inbox_;  // arrived, not yet taken by the session
    std::string message_;
    std::size_t unread_ = 0;  // written by the client, not yet taken by the session
    bool client_waits_ = false;
    bool in_body_ = false;
    bool silent_ = false;
    bool input_over_ = false;
    bool server_over_ = false;
    bool broken_ = false;               // reset: nothing arrives any more
    bool poisoned_ = false;             // what no server says has been said
    bool lied_ = false;                 // a reply too many: those behind it are taken for another's
    std::optional<TlsMood> handshake_;  // from the 220 on
    bool encrypted_ = false;
    bool proved_ = false;  // by its certificate
    bool deadline_watched_ = false;
    Instant last_to_server_, last_to_client_;
    std::uint64_t said_ = 0, heard_ = 0;  // bytes to the client
    std::vector<Acceptance> acceptances_;
};

}  // namespace posthorn::sim
