// A verifier of DKIM signatures for tests (RFC 6376 section 6), written from the standard without
// the signer's code: it takes messages apart the slow way, character by character.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::testing_dkim {

using Tags = std::map<std::string, std::string>;

std::string relaxed_header_the_slow_way(std::string_view field);
std::string relaxed_body_the_slow_way(std::string_view body);

// The DKIM-Signature fields of a message, the first one first.
std::vector<Tags> signatures_of(std::string_view message);

// Why the signature (by its place) does not verify under the key record; empty: it does.
std::string verification_fault(std::string_view message, std::size_t signature,
                               const std::string& record);

}  // namespace posthorn::testing_dkim
