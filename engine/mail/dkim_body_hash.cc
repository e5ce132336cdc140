#include "engine/mail/dkim_body_hash.h"

#include <openssl/evp.h>

#include <algorithm>

#include "engine/base/check.h"

namespace posthorn {
namespace {

constexpr std::size_t kKeptBytesMax = 1u << 20;  // of one beginning; each thread keeps eight
constexpr std::size_t kKeptBytesMin = 512;       // less is hashed as quickly as it is found

// Fetched once: to look an algorithm up takes longer than to hash a header.
const EVP_MD* sha256_method() {
    static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    CHECK(method != nullptr);
    return method;
}

bool begin(EVP_MD_CTX* context) {
    return EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1;
}

// Up to the last line end within the first bytes of a body.
std::size_t whole_lines(std::string_view body, std::size_t bytes) {
    const std::size_t end = body.substr(0, bytes).rfind('\n');
    return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

void DigestContextDeleter::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

DigestContext new_digest_context() {
    DigestContext context(EVP_MD_CTX_new());
    CHECK(context != nullptr);
    return context;
}

bool sha256(EVP_MD_CTX* context, std::string_view bytes, Sha256& hash) {
    return begin(context) && EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1;
}

DkimBodyHash::DkimBodyHash() : context_(new_digest_context()) {}

bool DkimBodyHash::hash(std::string_view body, std::size_t shared, Sha256& out) {
    const Beginning* const known = longest_known(body);
    std::size_t done = 0;
    if (known != nullptr && known->whole) {
        out = known->hash;
        return true;
    }
    if (known != nullptr) {
        done = known->bytes.size();
        canonical_ = known->canonical;
        if (EVP_MD_CTX_copy_ex(context_.get(), known->state.get()) != 1) return false;
    } else {
        canonical_ = {};
        if (!begin(context_.get())) return false;
    }
    const bool whole = shared >= body.size() && body.size() <= kKeptBytesMax;
    const std::size_t cut = whole_lines(body, std::min({shared, body.size(), kKeptBytesMax}));
    if (!whole && cut >= done + kKeptBytesMin) {
        if (!update(body.substr(done, cut - done)) || !keep(body.substr(0, cut), false, out))
            return false;
        done = cut;
    }
    if (!update(body.substr(done))) return false;
    canonical_bytes_.clear();
    canonical_.close(canonical_bytes_);
    if (EVP_DigestUpdate(context_.get(), canonical_bytes_.data(), canonical_bytes_.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) != 1)
        return false;
    return !whole || body.size() < kKeptBytesMin || keep(body, true, out);
}

const DkimBodyHash::Beginning* DkimBodyHash::longest_known(std::string_view body) const {
    const Beginning* longest = nullptr;
    for (const Beginning& beginning : kept_) {
        const std::size_t size = beginning.bytes.size();
        if (size == 0 || (longest != nullptr && size <= longest->bytes.size())) continue;
        if (beginning.whole ? body == beginning.bytes : body.starts_with(beginning.bytes))
            longest = &beginning;
    }
    return longest;
}

bool DkimBodyHash::update(std::string_view lines) {
    bytes_hashed_ += lines.size();
    canonical_bytes_.clear();
    canonical_.append(canonical_bytes_, lines);
    return EVP_DigestUpdate(context_.get(), canonical_bytes_.data(), canonical_bytes_.size()) == 1;
}

bool DkimBodyHash::keep(std::string_view beginning, bool whole, const Sha256& hash) {
    Beginning& kept = kept_[next_kept_];
    next_kept_ = (next_kept_ + 1) % kept_.size();
    kept.bytes.assign(beginning);
    kept.canonical = canonical_;
    kept.whole = whole;
    kept.hash = hash;
    if (whole) return true;
    if (kept.state == nullptr) kept.state = new_digest_context();
    return EVP_MD_CTX_copy_ex(kept.state.get(), context_.get()) == 1;
}

}  // namespace posthorn
