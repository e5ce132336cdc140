// One TLS session (1.2 and later) without I/O: ciphertext and plaintext go in and come out as
// bytes, for the client's side and the server's. The owner moves the bytes. Certificates are
// verified by the client when its options say so; what failed is told in words.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/mail/mail_hosts.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;
using X509 = struct x509_st;
using EVP_PKEY = struct evp_pkey_st;
using BIO = struct bio_st;

namespace posthorn {

struct TlsFree {
    void operator()(SSL* ssl) const;
    void operator()(SSL_CTX* context) const;
    void operator()(SSL_SESSION* session) const;
    void operator()(X509* certificate) const;
    void operator()(EVP_PKEY* key) const;
};
template <class T>
using TlsOwned = std::unique_ptr<T, TlsFree>;

// A certificate with its key, and the key's digest as TLSA records have it.
struct TlsIdentity {
    TlsOwned<X509> certificate;
    TlsOwned<EVP_PKEY> key;
};
Result<TlsIdentity> parse_tls_identity(std::string_view certificate_pem, std::string_view key_pem);
std::string tls_key_digest(X509& certificate);  // SHA-256 of its SubjectPublicKeyInfo

// What all channels of one side share; made once. Channels may outlive it.
class TlsContext {
  public:
    // trust_pem: certificates that a client trusts instead of the system's; empty: the system's.
    static Result<TlsContext> client(std::string_view trust_pem = {});
    // For those who would else speak in the clear: takes TLS 1.0 and weak keys, too.
    static Result<TlsContext> lenient_client(std::string_view trust_pem = {});
    static Result<TlsContext> server();

    SSL_CTX* get() const { return context_.get(); }

  private:
    explicit TlsContext(SSL_CTX* context) : context_(context) {}
    TlsOwned<SSL_CTX> context_;
};

struct TlsClientOptions {
    std::string server_name;             // for SNI, and what a certificate must be for
    bool verify = true;                  // false: encrypt with whoever is there (RFC 7435)
    SSL_SESSION* resume = nullptr;       // of an earlier channel to the same host; only borrowed
    std::span<const TlsaRecord> tlsa{};  // RFC 7672: these prove the peer, in place of authorities
};

// Why a handshake did not give what was asked for.
enum class TlsFault : std::uint8_t { kNone, kName, kExpired, kNotTrusted, kTlsa, kOther };

class TlsChannel {
  public:
    static Result<TlsChannel> client(const TlsContext& context, const TlsClientOptions& options);
    // The identity is only borrowed for the call.
    static Result<TlsChannel> server(const TlsContext& context, const TlsIdentity& identity);

    // Starts the handshake at the client, goes on with it on either side, and decrypts. After each
    // call: plaintext(), output(). An error is final; output() may still hold the alert to send.
    Status start() { return ciphertext_received({}); }
    Status ciphertext_received(std::string_view bytes);

    // Encrypts; only once established(). Never blocks: output() grows.
    Status write(std::string_view plaintext);
    void close();  // says close_notify

    std::string_view plaintext() const { return plaintext_.view(); }
    void consume_plaintext(std::size_t count) { plaintext_.consume(count); }
    std::string_view output() const;
    void consume_output(std::size_t count);

    bool established() const { return established_; }
    bool peer_closed() const { return peer_closed_; }  // close_notify: no truncation

    // Once established.
    bool resumed() const;
    std::string version() const;       // "TLSv1.3"
    std::string cipher() const;        // "TLS_AES_256_GCM_SHA384"
    std::string verify_error() const;  // why the peer's certificate is no proof; empty: it is
    TlsFault fault() const;            // of the handshake, failed or not
    X509* peer_certificate() const;    // borrowed; null if there is none
    // For a later client channel; with TLS 1.3 only after the first reads. Null if none may resume.
    TlsOwned<SSL_SESSION> session() const;

  private:
    TlsChannel() = default;
    Status make(const TlsContext& context);
    Status shake_hands();
    Status decrypt();
    Error failed(std::string_view doing);

    TlsOwned<SSL> ssl_;
    BIO* incoming_ = nullptr;  // owned by ssl_
    BIO* outgoing_ = nullptr;
    ByteQueue plaintext_;
    bool established_ = false;
    bool peer_closed_ = false;
    bool broken_ = false;
};

}  // namespace posthorn
