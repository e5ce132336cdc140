#include "tools/sink/certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "engine/base/check.h"

namespace posthorn::sink {

namespace {

constexpr long kDay = 86400;
constexpr std::string_view kWrongHost = "somebody-else.invalid";

bool is_address(std::string_view host) {
    return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, std::string_view common_name) {
    // A common name has at most 64 octets; the name that counts is the alternative one.
    const std::string text(common_name.substr(0, 64));
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>("posthorn-sink"), -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

// A certificate without issuer and signature, valid from and until days from now.
TlsOwned<X509> begin(EVP_PKEY* key, std::string_view common_name, long serial, WallTime now,
                     long from_day, long until_day) {
    TlsOwned<X509> out(X509_new());
    CHECK(out != nullptr);
    X509_set_version(out.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial);
    const auto seconds = static_cast<time_t>(to_micros(now) / 1'000'000);
    ASN1_TIME_set(X509_getm_notBefore(out.get()), seconds + from_day * kDay);
    ASN1_TIME_set(X509_getm_notAfter(out.get()), seconds + until_day * kDay);
    set_name(X509_get_subject_name(out.get()), common_name);
    X509_set_pubkey(out.get(), key);
    return out;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
}

std::string pem_of(X509* certificate) {
    BIO* bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_X509(bio, certificate) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

}  // namespace

Result<Certificates> Certificates::make(WallTime now) {
    Certificates out;
    out.now_ = now;
    out.authority_key_.reset(EVP_EC_gen("P-256"));
    out.key_.reset(EVP_EC_gen("P-256"));
    if (!out.authority_key_ || !out.key_)
        return Error{ErrorKind::kIo, "TLS: OpenSSL made no key; is its P-256 switched off?"};
    out.authority_ =
        begin(out.authority_key_.get(), "posthorn-sink test authority", 1, now, -1, 30);
    X509* authority = out.authority_.get();
    add_extension(authority, authority, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(authority, authority, NID_subject_key_identifier, "hash");
    sign(authority, authority, out.authority_key_.get());
    out.authority_pem_ = pem_of(authority);
    return out;
}

std::string Certificates::key_digest() const {
    const auto certificate = begin(key_.get(), "key", 1, now_, 0, 1);
    return tls_key_digest(*certificate);
}

const TlsIdentity& Certificates::identity(TlsMode mode, std::string_view host) {
    const auto found = identities_.find(std::pair(mode, std::string(host)));
    if (found != identities_.end()) return found->second;
    TlsIdentity identity;
    identity.certificate = issue(mode, std::string(host));
    EVP_PKEY_up_ref(key_.get());
    identity.key.reset(key_.get());
    return identities_.emplace(std::pair(mode, std::string(host)), std::move(identity))
        .first->second;
}

TlsOwned<X509> Certificates::issue(TlsMode mode, const std::string& host) {
    const bool expired = mode == TlsMode::kExpired;
    const std::string name = mode == TlsMode::kWrongName ? std::string(kWrongHost) : host;
    auto out = begin(key_.get(), name, ++serial_, now_, expired ? -20 : -1, expired ? -10 : 20);
    const bool by_itself = mode == TlsMode::kSelfSigned;
    X509* issuer = by_itself ? out.get() : authority_.get();
    add_extension(out.get(), issuer, NID_subject_alt_name,
                  (is_address(name) ? "IP:" : "DNS:") + name);
    add_extension(out.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
    sign(out.get(), issuer, by_itself ? key_.get() : authority_key_.get());
    return out;
}

}  // namespace posthorn::sink
