// A client session that proves who it is before its first transaction (RFC 4954). Credentials go
// over TLS only; a peer that fails here fails the session, never a recipient.
#include "engine/mail/encodings.h"
#include "engine/smtp/client_session.h"

namespace posthorn {

namespace {

constexpr std::uint16_t kAuthenticated = 235;
constexpr std::uint16_t kMechanismUnknown = 504;
constexpr std::uint16_t kMechanismTooWeak = 534;
constexpr std::size_t kCommandBytesMax = 512;  // RFC 5321 section 4.5.3.1.4, with CRLF
constexpr std::uint32_t kChallengesMax = 10;   // no mechanism needs more than three
constexpr std::string_view kWithheld = "(its words repeat what is secret)";

}  // namespace

// By the strongest mechanism that both sides know and that has not been refused as such.
void ClientSession::begin_auth(Instant now) {
    const SaslLogin& login = *options_->login;
    if (!tls_) return fail_auth(SessionEnd::kAuthWithoutTls);
    const auto mechanisms = login.mechanisms();
    while (auth_.mechanism < mechanisms.size() &&
           !capabilities_.offers_auth(mechanisms[auth_.mechanism]))
        ++auth_.mechanism;
    if (auth_.mechanism == mechanisms.size()) return fail_auth(SessionEnd::kAuthNotOffered);
    const std::string_view mechanism = mechanisms[auth_.mechanism++];
    auth_.exchange = login.begin(mechanism);
    auth_.challenges = 0;
    auto first = auth_.exchange->first();
    if (!first) return fail_auth(SessionEnd::kAuthBroken);
    auth_.first = std::move(*first);
    std::string line = "AUTH " + std::string(mechanism);
    if (auth_.first) {
        std::string initial = " ";
        append_base64(initial, *auth_.first);
        if (auth_.first->empty()) initial += '=';
        if (line.size() + initial.size() + 2 <= kCommandBytesMax) {
            auth_.first.reset();
            auth_.said = initial.substr(1);
            line += initial;
        }
    }
    write(line + "\r\n", What::kAuth, now);
}

void ClientSession::auth_reply(const Reply& reply, Instant now) {
    if (reply.intermediate()) return answer_challenge(reply.text, now);
    const bool proved = auth_.exchange != nullptr && auth_.exchange->complete();
    const bool given_up = auth_.exchange == nullptr;
    auth_.exchange.reset();
    if (given_up) return fail_auth(SessionEnd::kAuthBroken);
    if (reply.positive())
        return reply.code == kAuthenticated && proved ? become_ready()
                                                      : fail_auth(SessionEnd::kAuthBroken);
    if (reply.code != kMechanismUnknown && reply.code != kMechanismTooWeak)
        return fail_at(Stage::kAuth, reply);
    const auto mechanisms = options_->login->mechanisms();
    for (std::size_t i = auth_.mechanism; i < mechanisms.size(); ++i)
        if (capabilities_.offers_auth(mechanisms[i])) return begin_auth(now);
    fail_at(Stage::kAuth, reply);
}

void ClientSession::answer_challenge(std::string_view text, Instant now) {
    if (auth_.exchange == nullptr)
        return fail_auth(SessionEnd::kAuthBroken);  // it was told to stop
    const auto challenge = decode_base64(text);
    std::optional<std::string> answer;
    if (challenge && ++auth_.challenges <= kChallengesMax) {
        if (auth_.first) {
            if (challenge->empty()) answer = std::move(*auth_.first);
            auth_.first.reset();
        } else if (auto next = auth_.exchange->answer(*challenge)) {
            answer = std::move(*next);
        }
    }
    if (!answer) {
        auth_.exchange.reset();
        return write("*\r\n", What::kAuth, now);
    }
    std::string line;
    append_base64(line, *answer);
    auth_.said = line;
    write(line + "\r\n", What::kAuth, now);
}

void ClientSession::fail_auth(SessionEnd why) {
    tell(client::Failed{Stage::kAuth, why, {}});
    close(false);
}

// A server may repeat what it was told; nobody else needs to read it.
void ClientSession::withhold_secrets(Reply& reply) const {
    if (reply.intermediate()) return;
    const bool repeats = !auth_.said.empty() && reply.text.find(auth_.said) != std::string::npos;
    if (repeats || options_->login->told_by(reply.text)) reply.text = kWithheld;
}

}  // namespace posthorn
