// The interface between delivery and content: turns one recipient into the exact bytes of one
// message. Implemented by campaigns/; called by senders on their own threads, so an implementation
// is immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/queue/model.h"

namespace posthorn {

struct RenderRequest {
    std::string_view
        audience_key;       // identifies the recipient: Message-ID and boundary are functions of it
    std::string_view row;   // an AudienceRow
    WallTime date;          // of the recipient's first lease
    WallTime attempt_time;  // for what may differ by attempt (DKIM's t=)
};

// Reused from message to message, so that rendering allocates nothing in steady state.
struct RenderedMessage {
    std::string
        bytes;  // complete message, canonical CRLF lines of at most 998 octets, not dot-stuffed
    std::string envelope_from;  // return path without brackets; may be empty
    std::string envelope_to;    // the recipient's address, domain as A-label
    bool eight_bit = false;     // needs 8BITMIME
    bool smtputf8 = false;      // needs SMTPUTF8
};

class Renderer {
  public:
    virtual ~Renderer() = default;

    // Only the envelope and what the message needs, before its bytes are wanted; message.bytes is
    // unspecified.
    virtual Status envelope(const RenderRequest& request, RenderedMessage& message) const {
        return render(request, message);
    }

    // An error concerns this recipient alone (a variable without a value, a message too large).
    virtual Status render(const RenderRequest& request, RenderedMessage& message) const = 0;
};

}  // namespace posthorn
