#include "engine/net/sasl_login.h"

#include <gsasl.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/base/ascii.h"

namespace posthorn {

namespace {

constexpr std::string_view kXoauth2 = "XOAUTH2";
constexpr std::array<std::string_view, 4> kByPassword = {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
                                                         "LOGIN"};
constexpr std::size_t kToldMin = 4;  // a shorter secret is found in any text

struct FreeLibrary {
    void operator()(Gsasl* library) const { gsasl_done(library); }
};
struct FreeSession {
    void operator()(Gsasl_session* session) const { gsasl_finish(session); }
};

// A library handle of its own: sessions of several threads share credentials, and nothing else.
class GsaslExchange : public SaslExchange {
  public:
    GsaslExchange(const Credentials& credentials, std::string_view mechanism)
        : server_speaks_first_(mechanism == "LOGIN") {
        Gsasl* library = nullptr;
        if (gsasl_init(&library) != GSASL_OK) return;
        library_.reset(library);
        Gsasl_session* session = nullptr;
        if (gsasl_client_start(library, std::string(mechanism).c_str(), &session) != GSASL_OK)
            return;
        session_.reset(session);
        usable_ =
            gsasl_property_set(session, GSASL_AUTHID, credentials.user.c_str()) == GSASL_OK &&
            gsasl_property_set(session, GSASL_PASSWORD, credentials.secret.c_str()) == GSASL_OK;
    }

    Result<std::optional<std::string>> first() override {
        if (server_speaks_first_) return std::optional<std::string>();
        auto message = step({});
        if (!message) return message.error();
        return std::optional<std::string>(std::move(*message));
    }

    Result<std::string> answer(std::string_view challenge) override { return step(challenge); }

    bool complete() const override { return complete_; }

  private:
    Result<std::string> step(std::string_view challenge) {
        if (!usable_ || complete_) return Error{ErrorKind::kInvalid, "nothing more to say"};
        char* output = nullptr;
        std::size_t size = 0;
        const int status =
            gsasl_step(session_.get(), challenge.data(), challenge.size(), &output, &size);
        std::string message(output != nullptr ? output : "", output != nullptr ? size : 0);
        gsasl_free(output);
        usable_ = status == GSASL_OK || status == GSASL_NEEDS_MORE;
        complete_ = status == GSASL_OK;
        if (!usable_) return Error{ErrorKind::kInvalid, gsasl_strerror(status)};
        return message;
    }

    std::unique_ptr<Gsasl, FreeLibrary> library_;
    std::unique_ptr<Gsasl_session, FreeSession> session_;
    bool server_speaks_first_;
    bool usable_ = false;
    bool complete_ = false;
};

// One message; a challenge behind it says why the token was refused, and wants an empty answer.
class Xoauth2Exchange : public SaslExchange {
  public:
    explicit Xoauth2Exchange(const Credentials& credentials)
        : message_("user=" + credentials.user + "\001auth=Bearer " + credentials.secret +
                   "\001\001") {}

    Result<std::optional<std::string>> first() override {
        return std::optional<std::string>(message_);
    }
    Result<std::string> answer(std::string_view) override {
        if (std::exchange(refused_, true))
            return Error{ErrorKind::kInvalid, "one challenge is enough"};
        return std::string();
    }
    bool complete() const override { return !refused_; }

  private:
    std::string message_;
    bool refused_ = false;
};

class PasswordOrToken : public SaslLogin {
  public:
    PasswordOrToken(Credentials credentials, std::vector<std::string_view> mechanisms)
        : credentials_(std::move(credentials)), mechanisms_(std::move(mechanisms)) {}

    std::span<const std::string_view> mechanisms() const override { return mechanisms_; }

    std::unique_ptr<SaslExchange> begin(std::string_view mechanism) const override {
        if (mechanism == kXoauth2) return std::make_unique<Xoauth2Exchange>(credentials_);
        return std::make_unique<GsaslExchange>(credentials_, mechanism);
    }

    bool told_by(std::string_view text) const override {
        return credentials_.secret.size() >= kToldMin &&
               text.find(credentials_.secret) != std::string_view::npos;
    }

  private:
    Credentials credentials_;
    std::vector<std::string_view> mechanisms_;
};

bool is_plain(std::string_view text) {
    return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

}  // namespace

Result<std::shared_ptr<const SaslLogin>> make_sasl_login(Credentials credentials,
                                                         std::string_view mechanism) {
    if (!is_plain(credentials.user)) return Error{ErrorKind::kInvalid, "there is no user name"};
    if (!is_plain(credentials.secret))
        return Error{ErrorKind::kInvalid, "the secret is empty or holds control characters"};
    std::vector<std::string_view> mechanisms;
    for (const std::string_view known : kByPassword)
        if (mechanism.empty() || same_letters(mechanism, known)) mechanisms.push_back(known);
    if (same_letters(mechanism, kXoauth2)) mechanisms.push_back(kXoauth2);
    if (mechanisms.empty())
        return Error{ErrorKind::kInvalid, "no such mechanism: " + std::string(mechanism)};
    return std::shared_ptr<const SaslLogin>(
        std::make_shared<PasswordOrToken>(std::move(credentials), std::move(mechanisms)));
}

}  // namespace posthorn
