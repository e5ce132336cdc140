#include "engine/mail/dkim_signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "engine/base/ascii.h"
#include "engine/base/check.h"
#include "engine/mail/dkim_body_hash.h"
#include "engine/mail/dkim_canonical.h"
#include "engine/mail/encodings.h"
#include "engine/mail/headers.h"

namespace posthorn {
namespace {

// What is signed where it is there, in the order of h=; the first ones once more than they occur
// (RFC 6376 section 8.15).
constexpr std::size_t kOverSigned = 3;
constexpr std::string_view kSigned[] = {"from",
                                        "to",
                                        "subject",
                                        "date",
                                        "message-id",
                                        "reply-to",
                                        "cc",
                                        "in-reply-to",
                                        "references",
                                        "mime-version",
                                        "content-type",
                                        "content-transfer-encoding",
                                        "list-id",
                                        "list-unsubscribe",
                                        "list-unsubscribe-post",
                                        "list-help",
                                        "list-subscribe",
                                        "list-owner",
                                        "list-post",
                                        "list-archive",
                                        "feedback-id"};
constexpr std::size_t kNotSigned = std::size(kSigned);
constexpr std::size_t kSignatureBytesMax = kDkimRsaBitsMax / 8;
constexpr std::size_t kSignatureColumns = 72;  // of base64 on a line
constexpr std::size_t kKeysPerThread = 32;

std::size_t rank_of(std::string_view name) {
    for (std::size_t rank = 0; rank < kNotSigned; ++rank)
        if (same_letters(name, kSigned[rank])) return rank;
    return kNotSigned;
}

struct Field {
    std::string_view text;  // with its name, without its last line end
    std::size_t rank;
};

// The fields of a header block whose lines end with CRLF.
void read_fields(std::string_view headers, std::vector<Field>& fields) {
    fields.clear();
    while (!headers.empty()) {
        std::size_t end = headers.find("\r\n");
        while (end != std::string_view::npos && end + 2 < headers.size() &&
               (headers[end + 2] == ' ' || headers[end + 2] == '\t'))
            end = headers.find("\r\n", end + 2);
        const std::string_view text = headers.substr(0, end);
        headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 2);
        if (text.empty()) return;
        fields.push_back({text, rank_of(text.substr(0, text.find(':')))});
    }
}

// h= with its line ends, and the canonical form of what it names: from the last field of a name to
// the first, as verifiers take them (RFC 6376 section 5.4.2).
void choose_fields(const std::vector<Field>& fields, std::string& names, std::string& canonical) {
    std::size_t column = sizeof("\th=") - 1;
    bool first = true;
    const auto add_name = [&](std::string_view name) {
        if (!first) names.push_back(':');
        if (!first && column + 1 + name.size() + 1 > kHeaderLineWanted) {
            names.append("\r\n\t");
            column = 1;
        }
        names.append(name);
        column += name.size() + 1;
        first = false;
    };
    for (std::size_t rank = 0; rank < kNotSigned; ++rank) {
        for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
            if (field->rank != rank) continue;
            add_name(kSigned[rank]);
            append_relaxed_header(canonical, field->text);
            canonical.append("\r\n");
        }
        if (rank < kOverSigned) add_name(kSigned[rank]);
    }
}

struct PkeyDeleter {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct PkeyContextDeleter {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

// One key made ready for one thread: a copy, since OpenSSL's RSA shares blinding and counts between
// the users of a key under a lock.
class KeyContext {
  public:
    KeyContext(std::uint64_t serial, std::size_t index, const DkimKey& key)
        : serial_(serial), index_(index), original_(key.shared()), algorithm_(key.algorithm()) {
        key_.reset(EVP_PKEY_dup(key.shared().get()));
        CHECK(key_ != nullptr);
        if (algorithm_ == DkimAlgorithm::kEd25519Sha256) {
            whole_ = new_digest_context();
            return;
        }
        rsa_.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
        CHECK(rsa_ != nullptr && EVP_PKEY_sign_init(rsa_.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(rsa_.get(), RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_CTX_set_signature_md(rsa_.get(), EVP_sha256()) == 1);
    }

    bool is(std::uint64_t serial, std::size_t index) const {
        return serial_ == serial && index_ == index;
    }
    bool unused() const { return original_.expired(); }

    // RFC 8463 section 3: Ed25519 signs the hash as if it were the message.
    bool sign(const Sha256& hash, unsigned char* out, std::size_t& size) const {
        if (rsa_ != nullptr)
            return EVP_PKEY_sign(rsa_.get(), out, &size, hash.data(), hash.size()) == 1;
        return EVP_DigestSignInit(whole_.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
               EVP_DigestSign(whole_.get(), out, &size, hash.data(), hash.size()) == 1;
    }

  private:
    std::uint64_t serial_;
    std::size_t index_;
    std::weak_ptr<EVP_PKEY> original_;
    DkimAlgorithm algorithm_;
    std::unique_ptr<EVP_PKEY, PkeyDeleter> key_;
    std::unique_ptr<EVP_PKEY_CTX, PkeyContextDeleter> rsa_;
    DigestContext whole_;
};

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> serial{0};
    return ++serial;
}

}  // namespace

// What a thread keeps from message to message.
class DkimSigner::Thread {
  public:
    static Thread& current() {
        thread_local Thread thread;
        return thread;
    }

    Status sign(const DkimSigner& signer, std::string& message, const DkimBody& body,
                WallTime time) {
        const std::string_view view = message;
        read_fields(view.substr(0, body.at), fields_);
        names_.clear();
        headers_.clear();
        choose_fields(fields_, names_, headers_);
        if (!bodies_.hash(view.substr(body.at), body.shared, hash_)) return failed();
        common_.assign("\r\n\tt=");
        common_.append(std::to_string(to_micros(time) / 1'000'000)).append("; bh=");
        append_base64(common_, {reinterpret_cast<const char*>(hash_.data()), hash_.size()});
        common_.append(";\r\n\th=").append(names_).append(";\r\n\tb=");
        signatures_.clear();
        for (std::size_t i = 0; i < signer.identities_.size(); ++i)
            if (!add_signature(signer, i)) return failed();
        message.insert(0, signatures_);
        return {};
    }

  private:
    static Error failed() {
        std::array<char, 256> words{};
        ERR_error_string_n(ERR_get_error(), words.data(), words.size());
        ERR_clear_error();
        return {ErrorKind::kIo, "the message cannot be signed: " + std::string(words.data())};
    }

    bool add_signature(const DkimSigner& signer, std::size_t index) {
        const DkimIdentity& identity = signer.identities_[index];
        const std::size_t start = signatures_.size();
        signatures_.append("DKIM-Signature: v=1; a=").append(name_of(identity.key.algorithm()));
        signatures_.append("; c=relaxed/relaxed; d=").append(identity.domain);
        signatures_.append(";\r\n\ts=").append(identity.selector).append(";").append(common_);
        const std::size_t headers = headers_.size();
        append_relaxed_header(headers_, std::string_view(signatures_).substr(start));
        const bool hashed = sha256(context_.get(), headers_, hash_);
        headers_.resize(headers);
        std::array<unsigned char, kSignatureBytesMax> signature;
        std::size_t size = signature.size();
        if (!hashed || !key(signer, index).sign(hash_, signature.data(), size)) return false;
        encoded_.clear();
        append_base64(encoded_, {reinterpret_cast<const char*>(signature.data()), size});
        for (std::size_t i = 0; i < encoded_.size(); i += kSignatureColumns) {
            if (i > 0) signatures_.append("\r\n\t");
            signatures_.append(encoded_, i, kSignatureColumns);
        }
        signatures_.append("\r\n");
        return true;
    }

    const KeyContext& key(const DkimSigner& signer, std::size_t index) {
        for (const KeyContext& context : keys_)
            if (context.is(signer.serial_, index)) return context;
        std::erase_if(keys_, [](const KeyContext& context) { return context.unused(); });
        if (keys_.size() == kKeysPerThread) keys_.erase(keys_.begin());
        keys_.emplace_back(signer.serial_, index, signer.identities_[index].key);
        return keys_.back();
    }

    std::vector<Field> fields_;
    std::string names_, headers_, common_, signatures_, encoded_;
    Sha256 hash_{};
    DigestContext context_ = new_digest_context();
    DkimBodyHash bodies_;
    std::vector<KeyContext> keys_;
};

bool valid_dkim_selector(std::string_view selector) {
    if (selector.empty() || selector.size() > 200) return false;
    std::size_t label = 0;
    for (std::size_t i = 0; i < selector.size(); ++i) {
        const char c = selector[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool inside = c == '-' || c == '_';
        if (c == '.') {
            if (label == 0 || selector[i - 1] == '-') return false;
            label = 0;
            continue;
        }
        if (!(letter || (c >= '0' && c <= '9') || inside) || (c == '-' && label == 0)) return false;
        if (++label > 63) return false;
    }
    return label > 0 && selector.back() != '-';
}

DkimSigner::DkimSigner(std::vector<DkimIdentity> identities)
    : identities_(std::move(identities)), serial_(next_serial()) {
    CHECK(!identities_.empty());
}

Status DkimSigner::sign(std::string& message, const DkimBody& body, WallTime time) const {
    return Thread::current().sign(*this, message, body, time);
}

}  // namespace posthorn
