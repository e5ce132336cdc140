#include "engine/net/https_client.h"

#include <curl/curl.h>

#include <deque>
#include <unordered_map>
#include <utility>

#include "engine/net/loop_state.h"

namespace posthorn {

namespace {

struct EasyFree {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

struct HttpsClient::State {
    struct Transfer {
        std::unique_ptr<curl_slist, ListFree> resolved;
        std::unique_ptr<CURL, EasyFree> easy;
        HttpsAnswer answer;
        std::size_t body_bytes_max = 0;
        Answered answered;
    };
    // One socket of libcurl.
    struct Socket {
        uv_poll_t poll;
        State* owner = nullptr;
        curl_socket_t descriptor = CURL_SOCKET_BAD;
    };

    State(Loop& on, HttpsOptions chosen)
        : loop(on),
          options(std::move(chosen)),
          timeout(on, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {}
    ~State() {
        for (const auto& [easy, transfer] : under_way) curl_multi_remove_handle(multi, easy);
        under_way.clear();
        if (multi != nullptr) curl_multi_cleanup(multi);  // closes its sockets, each by watch()
    }

    static int socket_changed(CURL* /*easy*/, curl_socket_t descriptor, int what, void* state,
                              void* /*of_socket*/) {
        static_cast<State*>(state)->watch(descriptor, what);
        return 0;
    }
    static int timer_changed(CURLM* /*multi*/, long after_ms, void* state) {
        auto* self = static_cast<State*>(state);
        if (after_ms < 0)
            self->timeout.disarm();
        else
            self->timeout.arm(self->loop.now().instant + std::chrono::milliseconds(after_ms));
        return 0;
    }
    static std::size_t body_came(const char* bytes, std::size_t size, std::size_t count,
                                 void* transfer) {
        auto* self = static_cast<Transfer*>(transfer);
        if (self->answer.body.size() + size * count > self->body_bytes_max) return 0;  // ends it
        self->answer.body.append(bytes, size * count);
        return size * count;
    }

    void watch(curl_socket_t descriptor, int what) {
        Socket*& socket = sockets[descriptor];
        if (what == CURL_POLL_REMOVE) {
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
        const int wanted = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                           ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
        CHECK(uv_poll_start(&socket->poll, wanted, &polled) == 0);
    }

    static void polled(uv_poll_t* uv, int status, int happened) {
        const auto* socket = reinterpret_cast<Socket*>(uv);
        const int events = status < 0 ? CURL_CSELECT_ERR
                                      : ((happened & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                                            ((happened & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
        socket->owner->act(socket->descriptor, events);
    }

    void act(curl_socket_t descriptor, int events) {
        int running = 0;
        curl_multi_socket_action(multi, descriptor, events, &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi, &left))
            if (message->msg == CURLMSG_DONE) ended(message->easy_handle, message->data.result);
        start_more();
    }

    void ended(CURL* easy, CURLcode result) {
        auto found = under_way.extract(easy);
        CHECK(!found.empty());
        Transfer& transfer = *found.mapped();
        HttpsAnswer& answer = transfer.answer;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
        char* type = nullptr;
        curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
        if (type != nullptr) answer.content_type = type;
        if (result != CURLE_OK) answer.error = curl_easy_strerror(result);
        answer.certificate_refused = result == CURLE_PEER_FAILED_VERIFICATION;
        curl_multi_remove_handle(multi, easy);
        transfer.answered(answer);
    }

    void start_more() {
        while (under_way.size() < options.transfers_max && !waiting.empty()) {
            std::unique_ptr<Transfer> next = std::move(waiting.front());
            waiting.pop_front();
            CURL* easy = next->easy.get();
            under_way.emplace(easy, std::move(next));
            CHECK(curl_multi_add_handle(multi, easy) == CURLM_OK);
        }
    }

    void set_up(Transfer& transfer, const std::string& url);

    Loop& loop;
    HttpsOptions options;
    CURLM* multi = nullptr;
    std::unordered_map<curl_socket_t, Socket*> sockets;
    std::unordered_map<CURL*, std::unique_ptr<Transfer>> under_way;
    std::deque<std::unique_ptr<Transfer>> waiting;
    Timer timeout;
};

void HttpsClient::State::set_up(Transfer& transfer, const std::string& url) {
    CURL* easy = transfer.easy.get();
    const auto set = [easy](CURLoption option, auto value) {
        CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
    };
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_RESOLVE, transfer.resolved.get());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_USERAGENT, "posthorn");
    set(CURLOPT_TIMEOUT_MS,
        static_cast<long>(
            std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count()));
    set(CURLOPT_WRITEFUNCTION, &State::body_came);
    set(CURLOPT_WRITEDATA, &transfer);
    if (options.trust_pem.empty()) return;
    curl_blob authorities{options.trust_pem.data(), options.trust_pem.size(), CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &authorities);
    set(CURLOPT_CAPATH, nullptr);
}

Result<std::unique_ptr<HttpsClient>> HttpsClient::create(Loop& loop, HttpsOptions options) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return Error{ErrorKind::kIo, "cannot initialise libcurl"};
    auto state = std::make_unique<State>(loop, std::move(options));
    state->multi = curl_multi_init();
    if (state->multi == nullptr) return Error{ErrorKind::kIo, "cannot initialise libcurl"};
    curl_multi_setopt(state->multi, CURLMOPT_SOCKETFUNCTION, &State::socket_changed);
    curl_multi_setopt(state->multi, CURLMOPT_SOCKETDATA, state.get());
    curl_multi_setopt(state->multi, CURLMOPT_TIMERFUNCTION, &State::timer_changed);
    curl_multi_setopt(state->multi, CURLMOPT_TIMERDATA, state.get());
    return std::unique_ptr<HttpsClient>(new HttpsClient(std::move(state)));
}

HttpsClient::HttpsClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsClient::~HttpsClient() = default;

void HttpsClient::get(const std::string& host, std::string_view path,
                      const std::vector<IpAddress>& addresses, Answered answered) {
    CHECK(!addresses.empty());
    const std::string port = std::to_string(state_->options.port);
    // With a plus it is forgotten after a minute, as any answer of DNS.
    std::string resolved = "+" + host + ":" + port + ":";
    for (const IpAddress& address : addresses) {
        if (!resolved.ends_with(':')) resolved += ',';
        resolved += address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    }
    auto transfer = std::make_unique<State::Transfer>();
    transfer->easy.reset(curl_easy_init());
    transfer->resolved.reset(curl_slist_append(nullptr, resolved.c_str()));
    CHECK(transfer->easy != nullptr && transfer->resolved != nullptr);
    transfer->body_bytes_max = state_->options.body_bytes_max;
    transfer->answered = std::move(answered);
    state_->set_up(*transfer, "https://" + host + ":" + port + std::string(path));
    state_->waiting.push_back(std::move(transfer));
    state_->start_more();
}

}  // namespace posthorn
