// SHA-256 over relaxed bodies (RFC 6376 section 3.4.4, bh=) for one thread, which keeps what it
// hashed before: the hash of a whole body that comes again, and the state of the hash behind a
// beginning that others share. What is kept is found by comparing bytes, so it can never be the
// wrong one.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/mail/dkim_canonical.h"

struct evp_md_ctx_st;

namespace posthorn {

using Sha256 = std::array<unsigned char, 32>;

struct DigestContextDeleter {
    void operator()(evp_md_ctx_st* context) const;
};
using DigestContext = std::unique_ptr<evp_md_ctx_st, DigestContextDeleter>;
DigestContext new_digest_context();

// Of bytes in one piece; false: OpenSSL failed.
bool sha256(evp_md_ctx_st* context, std::string_view bytes, Sha256& hash);

class DkimBodyHash {
  public:
    DkimBodyHash();

    // shared: how many of the first bytes are likely to come again. False: OpenSSL failed.
    bool hash(std::string_view body, std::size_t shared, Sha256& out);

    std::size_t bytes_hashed() const { return bytes_hashed_; }  // of bodies, since the start

  private:
    struct Beginning {
        std::string bytes;      // ends with a line, or is a whole body
        RelaxedBody canonical;  // where it stood behind them
        DigestContext state;
        bool whole = false;
        Sha256 hash{};  // of a whole body
    };

    const Beginning* longest_known(std::string_view body) const;
    bool update(std::string_view lines);
    bool keep(std::string_view beginning, bool whole, const Sha256& hash);

    DigestContext context_;
    RelaxedBody canonical_;
    std::string canonical_bytes_;
    std::array<Beginning, 8> kept_;
    std::size_t next_kept_ = 0;
    std::size_t bytes_hashed_ = 0;
};

}  // namespace posthorn
