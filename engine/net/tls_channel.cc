#include "engine/net/tls_channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"

namespace posthorn {

namespace {

// One TLS record carries at most this much (RFC 8446 section 5.1).
constexpr std::size_t kRecordBytes = 16384;
// What one call hands to a BIO; its lengths are ints.
constexpr std::size_t kBioBytesMax = std::size_t{1} << 20;

// The oldest reason in OpenSSL's queue, in its words. Empties the queue.
std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "the connection is broken";
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "error " + std::to_string(code);
}

Error openssl_error(std::string_view doing) {
    return {ErrorKind::kIo, "TLS: " + std::string(doing) + ": " + openssl_reason()};
}

struct BioFree {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using OwnedBio = std::unique_ptr<BIO, BioFree>;

OwnedBio read_from(std::string_view bytes) {
    return OwnedBio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

void set_up(SSL_CTX* context, int version_min) {
    SSL_CTX_set_min_proto_version(context, version_min);
    // Thousands of idle channels must not keep their buffers.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

Status trust(SSL_CTX* context, std::string_view pem) {
    if (pem.empty()) {
        SSL_CTX_set_default_verify_paths(context);
        ERR_clear_error();  // a system without certificates trusts nobody
        return {};
    }
    const OwnedBio bio = read_from(pem);
    int count = 0;
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        const TlsOwned<X509> owned(certificate);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        ++count;
    }
    ERR_clear_error();  // the end of the text is one
    if (count > 0) return {};
    return Error{ErrorKind::kInvalid, "TLS: no certificate in the text of those to trust"};
}

}  // namespace

void TlsFree::operator()(SSL* ssl) const { SSL_free(ssl); }
void TlsFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void TlsFree::operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
void TlsFree::operator()(X509* certificate) const { X509_free(certificate); }
void TlsFree::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

Result<TlsIdentity> parse_tls_identity(std::string_view certificate_pem, std::string_view key_pem) {
    TlsIdentity out;
    out.certificate.reset(
        PEM_read_bio_X509(read_from(certificate_pem).get(), nullptr, nullptr, nullptr));
    if (!out.certificate) return openssl_error("the certificate");
    out.key.reset(PEM_read_bio_PrivateKey(read_from(key_pem).get(), nullptr, nullptr, nullptr));
    if (!out.key) return openssl_error("the private key");
    if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1)
        return openssl_error("certificate and key");
    return out;
}

std::string tls_key_digest(X509& certificate) {
    unsigned char* der = nullptr;
    const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
    CHECK(length > 0);
    std::array<unsigned char, 32> digest;
    CHECK(EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), nullptr, EVP_sha256(),
                     nullptr) == 1);
    OPENSSL_free(der);
    return std::string(digest.begin(), digest.end());
}

Result<TlsContext> TlsContext::client(std::string_view trust_pem) {
    TlsContext out(SSL_CTX_new(TLS_client_method()));
    if (!out.context_) return openssl_error("client context");
    set_up(out.get(), TLS1_2_VERSION);
    if (SSL_CTX_dane_enable(out.get()) <= 0) return openssl_error("DANE");
    RETURN_IF_ERROR(trust(out.get(), trust_pem));
    return out;
}

Result<TlsContext> TlsContext::lenient_client(std::string_view trust_pem) {
    TlsContext out(SSL_CTX_new(TLS_client_method()));
    if (!out.context_) return openssl_error("client context");
    set_up(out.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(out.get(), 0);
    if (SSL_CTX_set_cipher_list(out.get(), "DEFAULT:!aNULL:!eNULL:@SECLEVEL=0") != 1)
        return openssl_error("ciphers");
    RETURN_IF_ERROR(trust(out.get(), trust_pem));  // only for the record: nobody is refused
    return out;
}

Result<TlsContext> TlsContext::server() {
    TlsContext out(SSL_CTX_new(TLS_server_method()));
    if (!out.context_) return openssl_error("server context");
    set_up(out.get(), TLS1_2_VERSION);
    constexpr std::string_view kName = "posthorn";
    SSL_CTX_set_session_id_context(out.get(), reinterpret_cast<const unsigned char*>(kName.data()),
                                   static_cast<unsigned>(kName.size()));
    return out;
}

Status TlsChannel::make(const TlsContext& context) {
    ERR_clear_error();
    ssl_.reset(SSL_new(context.get()));
    incoming_ = BIO_new(BIO_s_mem());
    outgoing_ = BIO_new(BIO_s_mem());
    if (!ssl_ || !incoming_ || !outgoing_) {
        BIO_free(incoming_);
        BIO_free(outgoing_);
        return openssl_error("channel");
    }
    SSL_set_bio(ssl_.get(), incoming_, outgoing_);
    return {};
}

namespace {

// Where none of the records can be used, TLS is still a must, but nothing proves the peer (RFC 7672
// section 2.2).
Status use_tlsa(SSL* ssl, const std::string& name, std::span<const TlsaRecord> records) {
    if (SSL_dane_enable(ssl, name.c_str()) <= 0) return openssl_error("DANE");
    // RFC 7672 section 3.1.1: a certificate named by its own record may have any name.
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    int usable = 0;
    for (const TlsaRecord& record : records) {
        if (record.usage < 2) continue;  // PKIX-TA and PKIX-EE, section 3.1.3
        const auto* bytes = reinterpret_cast<const unsigned char*>(record.bytes.data());
        usable += SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, bytes,
                                    record.bytes.size()) > 0;
    }
    ERR_clear_error();
    if (usable == 0) SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return {};
}

}  // namespace

Result<TlsChannel> TlsChannel::client(const TlsContext& context, const TlsClientOptions& options) {
    TlsChannel out;
    RETURN_IF_ERROR(out.make(context));
    SSL* ssl = out.ssl_.get();
    SSL_set_connect_state(ssl);
    const std::string& name = options.server_name;
    if (!name.empty() && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1)
        return openssl_error("server name");
    if (!name.empty() && SSL_set1_host(ssl, name.c_str()) != 1) return openssl_error("server name");
    SSL_set_verify(ssl, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!options.tlsa.empty()) RETURN_IF_ERROR(use_tlsa(ssl, name, options.tlsa));
    if (options.resume && SSL_set_session(ssl, options.resume) != 1) ERR_clear_error();
    return out;
}

Result<TlsChannel> TlsChannel::server(const TlsContext& context, const TlsIdentity& identity) {
    TlsChannel out;
    RETURN_IF_ERROR(out.make(context));
    SSL* ssl = out.ssl_.get();
    SSL_set_accept_state(ssl);
    if (SSL_use_certificate(ssl, identity.certificate.get()) != 1 ||
        SSL_use_PrivateKey(ssl, identity.key.get()) != 1)
        return openssl_error("certificate and key");
    return out;
}

Error TlsChannel::failed(std::string_view doing) {
    broken_ = true;
    return openssl_error(doing);
}

Status TlsChannel::ciphertext_received(std::string_view bytes) {
    if (broken_) return Error{ErrorKind::kIo, "TLS: the channel has failed before"};
    ERR_clear_error();  // the queue is the thread's; another channel may have left something
    do {
        const std::string_view part = bytes.substr(0, kBioBytesMax);
        bytes.remove_prefix(part.size());
        if (!part.empty() && BIO_write(incoming_, part.data(), static_cast<int>(part.size())) <= 0)
            return failed("input");
        if (!established_) RETURN_IF_ERROR(shake_hands());
        if (established_) RETURN_IF_ERROR(decrypt());
    } while (!bytes.empty());
    return {};
}

Status TlsChannel::shake_hands() {
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
        established_ = true;
        return {};
    }
    const int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    const long verified = SSL_get_verify_result(ssl_.get());
    if (!SSL_is_server(ssl_.get()) && verified != X509_V_OK &&
        SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
        broken_ = true;
        ERR_clear_error();
        return Error{ErrorKind::kIo, std::string("TLS: certificate refused: ") +
                                         X509_verify_cert_error_string(verified)};
    }
    return failed("handshake");
}

Status TlsChannel::decrypt() {
    std::array<char, kRecordBytes> record;
    while (true) {
        const int count = SSL_read(ssl_.get(), record.data(), kRecordBytes);
        if (count > 0) {
            plaintext_.append({record.data(), static_cast<std::size_t>(count)});
            continue;
        }
        switch (SSL_get_error(ssl_.get(), count)) {
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE:
                return {};
            case SSL_ERROR_ZERO_RETURN:
                peer_closed_ = true;
                return {};
            default:
                return failed("input");
        }
    }
}

Status TlsChannel::write(std::string_view plaintext) {
    CHECK(established_);
    if (broken_) return Error{ErrorKind::kIo, "TLS: the channel has failed before"};
    ERR_clear_error();
    while (!plaintext.empty()) {
        const std::string_view part = plaintext.substr(0, kBioBytesMax);
        const int count = SSL_write(ssl_.get(), part.data(), static_cast<int>(part.size()));
        if (count <= 0) return failed("output");
        plaintext.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

void TlsChannel::close() {
    if (broken_ || !established_) return;
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

std::string_view TlsChannel::output() const {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(outgoing_, &bytes);
    return count > 0 ? std::string_view(bytes, static_cast<std::size_t>(count))
                     : std::string_view();
}

void TlsChannel::consume_output(std::size_t count) {
    std::array<char, 4096> gone;
    if (count == output().size()) {
        CHECK(BIO_reset(outgoing_) == 1);
        return;
    }
    while (count > 0) {
        const int read =
            BIO_read(outgoing_, gone.data(), static_cast<int>(std::min(count, gone.size())));
        CHECK(read > 0);
        count -= static_cast<std::size_t>(read);
    }
}

bool TlsChannel::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string TlsChannel::version() const { return SSL_get_version(ssl_.get()); }

std::string TlsChannel::cipher() const { return SSL_get_cipher_name(ssl_.get()); }

std::string TlsChannel::verify_error() const {
    if (!peer_certificate()) return "no certificate";
    const long verified = SSL_get_verify_result(ssl_.get());
    return verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified);
}

TlsFault TlsChannel::fault() const {
    switch (SSL_get_verify_result(ssl_.get())) {
        case X509_V_OK:
            return established_ ? TlsFault::kNone : TlsFault::kOther;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return TlsFault::kName;
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return TlsFault::kExpired;
        case X509_V_ERR_DANE_NO_MATCH:
            return TlsFault::kTlsa;
        default:
            return TlsFault::kNotTrusted;
    }
}

X509* TlsChannel::peer_certificate() const { return SSL_get0_peer_certificate(ssl_.get()); }

TlsOwned<SSL_SESSION> TlsChannel::session() const {
    SSL_SESSION* const own = SSL_get0_session(ssl_.get());
    if (!own || SSL_SESSION_is_resumable(own) != 1) return nullptr;
    // A copy: a channel that ends without close_notify spoils its own.
    return TlsOwned<SSL_SESSION>(SSL_SESSION_dup(own));
}

}  // namespace posthorn
