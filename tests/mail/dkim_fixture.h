// Keys that the tests of signing share. They sign nothing else.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "engine/mail/dkim_signer.h"

namespace posthorn::testing_dkim {

inline std::string pem_of(const std::string& name) {
    std::ifstream in(std::string(POSTHORN_SOURCE_DIR) + "/tests/mail/keys/" + name + ".pem",
                     std::ios::binary);
    EXPECT_TRUE(in.is_open()) << name;
    return {std::istreambuf_iterator<char>(in), {}};
}

inline DkimKey key_of(const std::string& name) { return DkimKey::from_pem(pem_of(name)).value(); }

inline DkimSigner rsa_signer() { return DkimSigner({{"acme.test", "s1", key_of("rsa2048")}}); }

inline DkimSigner two_signer() {
    return DkimSigner(
        {{"acme.test", "s1", key_of("rsa2048")}, {"acme.test", "ed", key_of("ed25519")}});
}

}  // namespace posthorn::testing_dkim
