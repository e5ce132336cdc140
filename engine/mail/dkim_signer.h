// Signs messages with DKIM (RFC 6376, RFC 8463): one DKIM-Signature field per identity, relaxed/
// relaxed, SHA-256. From, To and Subject are over-signed, so that nobody can add a second one; what
// identifies the message, its list and its MIME structure is signed where it is there. Immutable;
// any number of threads may sign at once: each keeps contexts, copies of keys and states of bodies
// of its own. Reads no file and no clock; stores no key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/mail/dkim_key.h"

namespace posthorn {

struct DkimIdentity {
    std::string domain;    // d=: A-labels, lower case
    std::string selector;  // s=
    DkimKey key;
};

// Labels of letters, digits, - and _, 63 at most each (RFC 6376 section 3.1).
bool valid_dkim_selector(std::string_view selector);

// Where a message's body begins, and how many of its first bytes other messages are likely to
// share: their hash is then taken up from a kept state. A wrong guess costs time, never a wrong
// hash.
struct DkimBody {
    std::size_t at = 0;
    std::size_t shared = 0;
};

class DkimSigner {
  public:
    explicit DkimSigner(std::vector<DkimIdentity> identities);

    // Puts the signatures in front of a message with CRLF line ends. Allocates nothing once message
    // and the thread's buffers have grown, but for what OpenSSL needs inside. An error: OpenSSL
    // failed, which nothing a message holds can bring about.
    Status sign(std::string& message, const DkimBody& body, WallTime time) const;

    const std::vector<DkimIdentity>& identities() const { return identities_; }

  private:
    class Thread;

    std::vector<DkimIdentity> identities_;
    std::uint64_t serial_;  // tells a thread which contexts are this signer's
};

}  // namespace posthorn
