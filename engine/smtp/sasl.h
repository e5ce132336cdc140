// How a client proves who it is (RFC 4954, RFC 4422): the ports behind which mechanisms and
// credentials stand. The session carries messages; it never sees a password.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

// The client's part of one exchange by one mechanism; messages without their base64.
class SaslExchange {
  public:
    virtual ~SaslExchange() = default;

    // What goes along with the command; nothing: the server speaks first.
    virtual Result<std::optional<std::string>> first() = 0;
    // An error: the challenge makes no sense, or the server could not prove itself.
    virtual Result<std::string> answer(std::string_view challenge) = 0;
    // The mechanism has said and heard all that it wants; success before that is none.
    virtual bool complete() const = 0;
};

// One set of credentials, shared by sessions of several threads.
class SaslLogin {
  public:
    virtual ~SaslLogin() = default;

    // Those it may be used with, in upper case, the strongest first.
    virtual std::span<const std::string_view> mechanisms() const = 0;
    virtual std::unique_ptr<SaslExchange> begin(std::string_view mechanism) const = 0;
    // Whether text repeats the secret, so that it may be shown to nobody.
    virtual bool told_by(std::string_view text) const = 0;
};

// Where credentials come from. Asked anew by every session, so that they may change.
class SaslLoginSource {
  public:
    virtual ~SaslLoginSource() = default;
    virtual Result<std::shared_ptr<const SaslLogin>> current() const = 0;
};

}  // namespace posthorn
