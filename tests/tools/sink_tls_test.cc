// Both halves of a TLS channel joined in memory, with the sink's certificates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "engine/net/tls_channel.h"
#include "tools/sink/certificates.h"

namespace posthorn::sink {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHost = "mx.a.test";

class TlsChannels : public testing::Test {
  protected:
    TlsChannels()
        : certificates_(*Certificates::make(wall_from_micros(now_micros()))),
          server_context_(*TlsContext::server()),
          client_context_(*TlsContext::client(certificates_.authority_pem())) {}

    // OpenSSL compares certificates with the real clock.
    static std::int64_t now_micros() { return std::int64_t{time(nullptr)} * 1'000'000; }

    void open(TlsMode mode, TlsClientOptions options = {.server_name = std::string(kHost)}) {
        client_.emplace(*TlsChannel::client(client_context_, options));
        server_.emplace(*TlsChannel::server(server_context_, certificates_.identity(mode, kHost)));
    }

    // Moves bytes to and fro, step octets at a time, until neither side has any. The client's
    // error.
    std::string join(std::size_t step = 100'000) {
        Status client = client_->start();
        while (client.has_value()) {
            const bool moved_out = move(*client_, *server_, step).first;
            auto [moved_in, status] = move(*server_, *client_, step);
            client = status;
            if (!moved_out && !moved_in) break;
        }
        return client ? "" : client.error().message;
    }

    static std::pair<bool, Status> move(TlsChannel& from, TlsChannel& to, std::size_t step) {
        const std::string bytes(from.output().substr(0, step));
        if (bytes.empty()) return {false, Status()};
        from.consume_output(bytes.size());
        return {true, to.ciphertext_received(bytes)};
    }

    Certificates certificates_;
    TlsContext server_context_;
    TlsContext client_context_;
    std::optional<TlsChannel> client_;
    std::optional<TlsChannel> server_;
};

TEST_F(TlsChannels, TakeTheKeyThatATlsaRecordNamesWhateverElseIsWrongWithTheCertificate) {
    const std::string digest = certificates_.key_digest();
    struct Case {
        TlsaRecord record;
        TlsMode mode;
        bool taken;
    };
    const Case cases[] = {
        {{3, 1, 1, digest}, TlsMode::kSelfSigned, true},
        {{3, 1, 1, digest}, TlsMode::kExpired, true},
        {{3, 1, 1, digest}, TlsMode::kWrongName, true},
        {{3, 1, 1, std::string(32, 'x')}, TlsMode::kValid, false},
        {{2, 1, 1, digest}, TlsMode::kValid, false},       // the authority has another key
        {{1, 1, 1, digest}, TlsMode::kSelfSigned, true},   // cannot be used: nothing is proved
        {{3, 1, 9, "unknown"}, TlsMode::kExpired, true}};  // the same
    for (const Case& row : cases) {
        const std::vector<TlsaRecord> records{row.record};
        open(row.mode, {.server_name = std::string(kHost), .tlsa = records});
        EXPECT_EQ(join().empty(), row.taken) << int{row.record.usage} << int(row.mode);
        EXPECT_EQ(client_->fault() == TlsFault::kTlsa, !row.taken && row.mode == TlsMode::kValid);
    }
}

TEST_F(TlsChannels, CarryBytesBothWaysHoweverTheyAreCut) {
    const std::string text(50'000, 'x');
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}}) {
        open(TlsMode::kValid);
        ASSERT_EQ(join(step), "");
        ASSERT_TRUE(client_->established());
        ASSERT_TRUE(server_->established());
        ASSERT_TRUE(client_->write(text).has_value());
        ASSERT_TRUE(server_->write("220 hello").has_value());
        ASSERT_EQ(join(step), "");
        EXPECT_EQ(server_->plaintext(), text);
        EXPECT_EQ(client_->plaintext(), "220 hello");
    }
}

TEST_F(TlsChannels, SayWhatWasAgreed) {
    open(TlsMode::kValid);
    ASSERT_EQ(join(), "");
    EXPECT_EQ(client_->version(), "TLSv1.3");
    EXPECT_FALSE(client_->cipher().empty());
    EXPECT_EQ(client_->verify_error(), "");
    ASSERT_TRUE(client_->peer_certificate());
    EXPECT_EQ(tls_key_digest(*client_->peer_certificate()), certificates_.key_digest());
}

TEST_F(TlsChannels, AVerifyingClientRefusesEveryCertificateThatIsNotValid) {
    const std::pair<TlsMode, std::string> refused[] = {
        {TlsMode::kSelfSigned, "self-signed certificate"},
        {TlsMode::kExpired, "expired"},
        {TlsMode::kWrongName, "ostname mismatch"},
    };
    for (const auto& [mode, why] : refused) {
        open(mode);
        EXPECT_THAT(join(), HasSubstr(why));
        EXPECT_FALSE(client_->established());
        EXPECT_FALSE(client_->output().empty());  // the alert
    }
}

TEST_F(TlsChannels, AnOpportunisticClientTakesThemAllAndKnowsWhy) {
    for (const TlsMode mode : {TlsMode::kSelfSigned, TlsMode::kExpired, TlsMode::kWrongName}) {
        open(mode, {.server_name = std::string(kHost), .verify = false});
        EXPECT_EQ(join(), "");
        EXPECT_TRUE(client_->established());
        EXPECT_NE(client_->verify_error(), "");
    }
}

TEST_F(TlsChannels, ASessionIsResumed) {
    open(TlsMode::kValid);
    ASSERT_EQ(join(), "");
    EXPECT_FALSE(client_->resumed());
    const auto session = client_->session();
    ASSERT_TRUE(session);
    open(TlsMode::kValid, {.server_name = std::string(kHost), .resume = session.get()});
    ASSERT_EQ(join(), "");
    EXPECT_TRUE(client_->resumed());
    EXPECT_TRUE(server_->resumed());
}

TEST_F(TlsChannels, AnEndThatWasSaidDiffersFromOneThatWasNot) {
    open(TlsMode::kValid);
    ASSERT_EQ(join(), "");
    EXPECT_FALSE(client_->peer_closed());
    ASSERT_TRUE(server_->write("bye").has_value());
    server_->close();
    ASSERT_EQ(join(), "");
    EXPECT_EQ(client_->plaintext(), "bye");
    EXPECT_TRUE(client_->peer_closed());
}

TEST_F(TlsChannels, WhatIsNoHandshakeIsAFinalError) {
    open(TlsMode::kValid);
    const Status status = client_->ciphertext_received("220 this is no TLS at all\r\n");
    ASSERT_FALSE(status.has_value());
    EXPECT_THAT(status.error().message, HasSubstr("TLS: handshake: "));
    EXPECT_FALSE(client_->ciphertext_received("more").has_value());
}

TEST_F(TlsChannels, AnIdentityIsReadFromPemAndItsKeyMustFit) {
    EXPECT_FALSE(parse_tls_identity("nonsense", "nonsense").has_value());
    EXPECT_FALSE(parse_tls_identity(certificates_.authority_pem(), "nonsense").has_value());
    EXPECT_FALSE(TlsContext::client("nonsense").has_value());
}

}  // namespace
}  // namespace posthorn::sink
