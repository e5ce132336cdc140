#include "engine/net/dns_channel.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/dns_message.h"
#include "engine/net/loop_state.h"
#include "engine/net/tcp.h"

namespace posthorn {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr int kSocketBufferBytes = 1 << 20;  // for the answers to all outstanding questions at once

struct Pending {
    DnsQuestion question;
    bool trusted = false;
    DnsChannel::Answered answered;
};

std::string failure_text(int status) {
    switch (status) {
        case ARES_ESERVFAIL:
            return "SERVFAIL";
        case ARES_EREFUSED:
            return "REFUSED";
        case ARES_ENOTIMP:
            return "NOTIMP";
        case ARES_EFORMERR:
            return "FORMERR";
        case ARES_ETIMEOUT:
            return "no answer in time";
        case ARES_ECONNREFUSED:  // of several servers; c-ares does not say which it was
            return "SERVFAIL, REFUSED or no way to reach any name server";
        default:
            return ares_strerror(status);
    }
}

DnsAnswer answer_of(const Pending& pending, int status, std::string_view message) {
    DnsAnswer answer;
    if (!message.empty()) {
        answer = read_dns_answer(pending.question, message);
        answer.authentic = answer.authentic && pending.trusted;
        return answer;
    }
    answer.detail = failure_text(status);
    // A name that no question can carry does not exist.
    if (status == ARES_EBADNAME) answer.kind = DnsAnswer::Kind::kNoDomain;
    return answer;
}

void question_ended(void* pending_argument, int status, int /*timeouts*/, unsigned char* bytes,
                    int length) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(pending_argument));
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    const std::string_view message(reinterpret_cast<const char*>(bytes),
                                   bytes == nullptr ? 0 : static_cast<std::size_t>(length));
    pending->answered(answer_of(*pending, status, message));
}

bool all_on_this_host(ares_channel channel) {
    ares_addr_port_node* servers = nullptr;
    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS || servers == nullptr)
        return false;
    bool all = true;
    for (const ares_addr_port_node* server = servers; server != nullptr; server = server->next)
        all = all && (server->family == AF_INET
                          ? ntohl(server->addr.addr4.s_addr) >> 24 == 127
                          : std::memcmp(&server->addr.addr6, &in6addr_loopback, 16) == 0);
    ares_free_data(servers);
    return all;
}

// A question in wire form that asks for validation too; c-ares 1.18 writes none such. The id is
// what a forger has to guess, with the port.
Result<std::string> question_for_validated(const DnsQuestion& question) {
    DnsMessage message;
    std::array<unsigned char, 2> id{};
    CHECK(RAND_bytes(id.data(), static_cast<int>(id.size())) == 1);
    message.id = static_cast<std::uint16_t>(id[0] << 8 | id[1]);
    message.recursion_desired = true;
    message.authentic = true;
    message.questions.push_back({question.name, question.type});
    message.edns = dns::Edns{};
    message.edns->dnssec_ok = true;
    return build_dns_message(message);
}

// As c-ares wants them: comma-separated, each with its port.
Result<std::string> server_list(const std::vector<std::string>& servers) {
    std::string list;
    for (const std::string& server : servers) {
        std::optional<Endpoint> endpoint = parse_endpoint(server);
        if (!endpoint) {
            const std::optional<IpAddress> address = IpAddress::parse(server);
            if (!address)
                return Error{ErrorKind::kInvalid,
                             "name server \"" + server +
                                 "\" is no address; write 192.0.2.53 or 127.0.0.1:5300"};
            endpoint = Endpoint{*address, kDnsPort};
        }
        if (!list.empty()) list += ',';
        list += to_string(*endpoint);
    }
    return list;
}

}  // namespace

struct DnsChannel::State {
    // One socket of c-ares.
    struct Socket {
        uv_poll_t poll;
        State* owner = nullptr;
        ares_socket_t descriptor = ARES_SOCKET_BAD;
        int wanted = 0;

        void watch() {
            CHECK(uv_poll_start(&poll, wanted, [](uv_poll_t* uv, int status, int happened) {
                      auto* socket = reinterpret_cast<Socket*>(uv);
                      socket->owner->polled(*socket, status, happened);
                  }) == 0);
        }
    };

    explicit State(Loop& on)
        : loop(on),
          timeout(on, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }),
          turn_end(on, [this] { arm_timeout(); }) {}
    ~State() {
        if (channel != nullptr) ares_destroy(channel);  // closes its sockets, each by socket_state
    }

    static void socket_state(void* state, ares_socket_t descriptor, int readable, int writable) {
        const int wanted = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
        static_cast<State*>(state)->watch(descriptor, wanted);
    }

    void watch(ares_socket_t descriptor, int wanted) {
        Socket*& socket = sockets[descriptor];
        if (wanted == 0) {
            if (socket != nullptr)
                close_and_delete(socket, reinterpret_cast<uv_handle_t*>(&socket->poll));
            sockets.erase(descriptor);
            return;
        }
        if (socket == nullptr) {
            socket = new Socket;
            socket->owner = this;
            socket->descriptor = descriptor;
            CHECK(uv_poll_init(&loop.state().uv, &socket->poll, descriptor) == 0);
        }
        socket->wanted = wanted;
        socket->watch();
    }

    void polled(const Socket& socket, int status, int happened) {
        const ares_socket_t descriptor = socket.descriptor;
        const bool failed = status < 0;  // c-ares learns why by reading
        process(failed || (happened & UV_READABLE) != 0 ? descriptor : ARES_SOCKET_BAD,
                failed || (happened & UV_WRITABLE) != 0 ? descriptor : ARES_SOCKET_BAD);
        const auto still = sockets.find(descriptor);
        if (failed && still != sockets.end()) still->second->watch();  // libuv had stopped
    }

    void process(ares_socket_t readable, ares_socket_t writable) {
        ares_process_fd(channel, readable, writable);
        timeout_changed = true;
    }

    void arm_timeout() {
        if (!std::exchange(timeout_changed, false)) return;
        timeval wait{};
        if (ares_timeout(channel, nullptr, &wait) == nullptr) {
            timeout.disarm();
            return;
        }
        timeout.arm(loop.now().instant + std::chrono::seconds(wait.tv_sec) +
                    std::chrono::microseconds(wait.tv_usec));
    }

    Loop& loop;
    ares_channel channel = nullptr;
    bool trusted = false;
    std::unordered_map<ares_socket_t, Socket*> sockets;
    Timer timeout;
    TurnEnd turn_end;
    bool timeout_changed = false;
};

Result<std::unique_ptr<DnsChannel>> DnsChannel::create(Loop& loop,
                                                       const std::vector<std::string>& servers,
                                                       Duration timeout, int tries,
                                                       DnsTrust trust) {
    Result<std::string> list = server_list(servers);
    if (!list) return list.error();
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return Error{ErrorKind::kIo, "cannot initialise c-ares"};

    auto state = std::make_unique<State>(loop);
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    // With one server there is no other to ask after a SERVFAIL, and its words are passed on.
    if (servers.size() == 1) options.flags |= ARES_FLAG_NOCHECKRESP;
    options.timeout = static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>(std::max(timeout, Duration(1))).count());
    options.tries = std::max(tries, 1);
    options.socket_receive_buffer_size = kSocketBufferBytes;
    options.sock_state_cb = &State::socket_state;
    options.sock_state_cb_data = state.get();
    const int used = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_RCVBUF |
                     ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&state->channel, &options, used);
    if (status == ARES_SUCCESS && !list->empty())
        status = ares_set_servers_ports_csv(state->channel, list->c_str());
    if (status != ARES_SUCCESS)
        return Error{ErrorKind::kIo,
                     std::string("cannot use the name servers: ") + ares_strerror(status)};
    state->trusted = trust == DnsTrust::kAlways ||
                     (trust == DnsTrust::kOnThisHost && all_on_this_host(state->channel));
    return std::unique_ptr<DnsChannel>(new DnsChannel(std::move(state)));
}

DnsChannel::DnsChannel(std::unique_ptr<State> state) : state_(std::move(state)) {}
DnsChannel::~DnsChannel() = default;

void DnsChannel::send(const DnsQuestion& question, Answered answered) {
    // question_ended() deletes it
    auto* pending = new Pending{question, state_->trusted, std::move(answered)};
    if (const auto wire = state_->trusted ? question_for_validated(question)
                                          : Result<std::string>(std::string())) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(wire->data());
        if (!wire->empty())
            ares_send(state_->channel, bytes, static_cast<int>(wire->size()), &question_ended,
                      pending);
        else
            ares_query(state_->channel, pending->question.name.c_str(), dns::kClassIn,
                       question.type, &question_ended, pending);
    } else {
        question_ended(pending, ARES_EBADNAME, 0, nullptr, 0);
    }
    state_->timeout_changed = true;
}

bool DnsChannel::trusted() const { return state_->trusted; }

}  // namespace posthorn
