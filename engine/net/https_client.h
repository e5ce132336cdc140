// Small texts over HTTPS on a loop, by libcurl: one GET, certificate and name verified, no
// redirects, bounded in bytes, time and number. The caller knows the addresses: nothing is resolved
// here, and no proxy or cookie of the environment has a part in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/mail/ip_address.h"
#include "engine/net/loop.h"

namespace posthorn {

struct HttpsOptions {
    std::string trust_pem;  // authorities in place of the system's; empty: the system's
    std::uint16_t port = 443;
    Duration timeout{std::chrono::seconds(60)};  // of the whole; RFC 8461 section 3.3
    std::size_t body_bytes_max = 64 * 1024;
    std::size_t transfers_max = 64;  // at once; the rest waits its turn
};

struct HttpsAnswer {
    long status = 0;           // of HTTP; 0: it did not come to that
    std::string content_type;  // as sent
    std::string body;
    std::string error;  // in words, where there is no whole answer
    bool certificate_refused = false;
};

class HttpsClient {
  public:
    using Answered = std::function<void(const HttpsAnswer&)>;

    static Result<std::unique_ptr<HttpsClient>> create(Loop& loop, HttpsOptions options);
    ~HttpsClient();  // what is under way is never answered
    HttpsClient(const HttpsClient&) = delete;
    HttpsClient& operator=(const HttpsClient&) = delete;

    // host: a name of DNS; at least one address. Answered once, in a later callback, which must not
    // destroy the client.
    void get(const std::string& host, std::string_view path,
             const std::vector<IpAddress>& addresses, Answered answered);

  private:
    struct State;
    explicit HttpsClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace posthorn
