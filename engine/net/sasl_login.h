// Credentials for the mechanisms that relays ask for: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-1 and
// SCRAM-SHA-256 (RFC 5802, RFC 7677) by GNU SASL, and XOAUTH2, which is a line around a token.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/smtp/sasl.h"

namespace posthorn {

struct Credentials {
    std::string user;
    std::string secret;  // a password, or the token of XOAUTH2
};

// mechanism: in any case, the only one to be used; empty: the strongest of those with a password
// that the server offers. An error: unknown, or credentials that no server could take.
Result<std::shared_ptr<const SaslLogin>> make_sasl_login(Credentials credentials,
                                                         std::string_view mechanism);

}  // namespace posthorn
