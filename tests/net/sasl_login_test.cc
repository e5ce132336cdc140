// Mechanisms against GNU SASL's own server half, through a client session and its peer's lines.
#include "engine/net/sasl_login.h"

#include <gsasl.h>
#include <gtest/gtest.h>

#include "engine/smtp/client_session.h"

namespace posthorn {
namespace {

int give_password(Gsasl*, Gsasl_session* session, Gsasl_property property) {
    if (property == GSASL_SCRAM_SALTED_PASSWORD || property == GSASL_AUTHZID)
        return GSASL_NO_CALLBACK;
    if (property == GSASL_VALIDATE_SIMPLE) {
        const char* user = gsasl_property_fast(session, GSASL_AUTHID);
        const char* password = gsasl_property_fast(session, GSASL_PASSWORD);
        const bool right = user != nullptr && password != nullptr &&
                           std::string_view(user) == "tim" &&
                           std::string_view(password) == "tanstaaf";
        return right ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
    }
    if (property != GSASL_PASSWORD) return GSASL_NO_CALLBACK;
    gsasl_property_set(session, GSASL_PASSWORD, "tanstaaf");
    return GSASL_OK;
}

// A session over TLS with a server that offers one mechanism, up to its end.
class Relay {
  public:
    explicit Relay(std::string mechanism) : mechanism_(std::move(mechanism)) {
        gsasl_init(&library_);
        gsasl_callback_set(library_, give_password);
    }
    ~Relay() {
        if (server_ != nullptr) gsasl_finish(server_);
        gsasl_done(library_);
    }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    // How the client's session ended its opening: "ready", or stage and reason.
    std::string opening(const std::string& password) {
        auto options = std::make_shared<ClientOptions>();
        options->ehlo_name = "me.example";
        options->login = *make_sasl_login({"tim", password}, "");
        ClientSession session(options, Instant(), true);
        session.bytes_received("220 relay\r\n", Instant());
        for (int i = 0; i < 20; ++i) {
            if (const auto event = session.next_event()) {
                if (std::holds_alternative<client::Ready>(*event)) return "ready";
                if (const auto* failed = std::get_if<client::Failed>(&*event))
                    return std::string(name_of(failed->stage)) + " " +
                           std::string(name_of(failed->why));
                continue;
            }
            const std::string line(session.output());
            session.bytes_written(line.size(), Instant());
            session.bytes_received(answer(line.substr(0, line.find('\r'))), Instant());
        }
        return "no end";
    }
    void lie() { lying_ = true; }

  private:
    std::string answer(const std::string& line) {
        if (line.starts_with("EHLO")) return "250-relay\r\n250 AUTH " + mechanism_ + "\r\n";
        if (line == "*") return "501 cancelled\r\n";
        if (!line.starts_with("AUTH ")) return step(line);
        EXPECT_EQ(gsasl_server_start(library_, mechanism_.c_str(), &server_), GSASL_OK);
        const std::size_t space = line.find(' ', 5);
        return step(space == std::string::npos ? "" : line.substr(space + 1));
    }

    std::string step(const std::string& message) {
        if (done_) return "235 welcome\r\n";
        char* output = nullptr;
        const int status = gsasl_step64(server_, message.c_str(), &output);
        std::string said = output != nullptr ? output : "";
        gsasl_free(output);
        if (status != GSASL_OK && status != GSASL_NEEDS_MORE) return "535 5.7.8 wrong\r\n";
        done_ = status == GSASL_OK;
        if (done_ && said.empty()) return "235 welcome\r\n";
        if (done_ && lying_) said = "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9";  // not its proof
        return "334 " + said + "\r\n";
    }

    std::string mechanism_;
    Gsasl* library_ = nullptr;
    Gsasl_session* server_ = nullptr;
    bool done_ = false;
    bool lying_ = false;
};

TEST(SaslLogin, EachMechanismIsUnderstoodByAnotherImplementation) {
    for (const char* mechanism : {"PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
        EXPECT_EQ(Relay(mechanism).opening("tanstaaf"), "ready") << mechanism;
        EXPECT_EQ(Relay(mechanism).opening("wrong"), "auth reply") << mechanism;
    }
}

TEST(SaslLogin, AServerThatDoesNotKnowThePasswordIsNotBelieved) {
    Relay relay("SCRAM-SHA-256");
    relay.lie();
    EXPECT_EQ(relay.opening("tanstaaf"), "auth auth_broken");
}

TEST(SaslLogin, TheStrongestComesFirst) {
    const auto login = make_sasl_login({"tim", "tanstaaf"}, "");
    ASSERT_TRUE(login);
    EXPECT_EQ((*login)->mechanisms().front(), "SCRAM-SHA-256");
    const auto token = make_sasl_login({"tim", "t"}, "xoauth2");
    ASSERT_TRUE(token);
    ASSERT_EQ((*token)->mechanisms().size(), 1u);
    EXPECT_EQ((*token)->mechanisms().front(), "XOAUTH2");
}

TEST(SaslLogin, WhatNoServerCouldTakeIsRefused) {
    EXPECT_FALSE(make_sasl_login({"", "x"}, ""));
    EXPECT_FALSE(make_sasl_login({"tim", ""}, ""));
    EXPECT_FALSE(make_sasl_login({"tim", "two\r\nlines"}, ""));
    EXPECT_FALSE(make_sasl_login({"tim", "x"}, "gssapi"));
}

}  // namespace
}  // namespace posthorn
