#include "engine/mail/dkim_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>

#include "engine/mail/encodings.h"

namespace posthorn {
namespace {

struct BioDeleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Nobody is asked for a password.
int no_password(char*, int, int, void*) { return -1; }

std::string what_it_holds(std::string_view pem) {
    if (pem.find("ENCRYPTED") != std::string_view::npos)
        return "the key is encrypted, and nobody is there to type its password";
    if (pem.find("PUBLIC KEY") != std::string_view::npos)
        return "this is a public key; the private one signs";
    if (pem.find("BEGIN CERTIFICATE") != std::string_view::npos)
        return "this is a certificate, not a private key";
    if (pem.find("PRIVATE KEY") != std::string_view::npos) return "the private key is damaged";
    return "this is not a private key in PEM";
}

// A key whose halves do not belong together would sign, and every receiver would refuse.
bool signs_what_it_verifies(EVP_PKEY* key, DkimAlgorithm algorithm) {
    constexpr std::string_view kText = "Posthorn";
    const auto* const text = reinterpret_cast<const unsigned char*>(kText.data());
    const EVP_MD* const digest =
        algorithm == DkimAlgorithm::kRsaSha256 ? EVP_sha256() : static_cast<const EVP_MD*>(nullptr);
    std::array<unsigned char, kDkimRsaBitsMax / 8> signature;
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, DigestDeleter> signing(EVP_MD_CTX_new()),
        verifying(EVP_MD_CTX_new());
    return EVP_DigestSignInit(signing.get(), nullptr, digest, nullptr, key) == 1 &&
           EVP_DigestSign(signing.get(), signature.data(), &size, text, kText.size()) == 1 &&
           EVP_DigestVerifyInit(verifying.get(), nullptr, digest, nullptr, key) == 1 &&
           EVP_DigestVerify(verifying.get(), signature.data(), size, text, kText.size()) == 1;
}

}  // namespace

std::string_view name_of(DkimAlgorithm algorithm) {
    return algorithm == DkimAlgorithm::kRsaSha256 ? "rsa-sha256" : "ed25519-sha256";
}

std::string_view key_type_of(DkimAlgorithm algorithm) {
    return algorithm == DkimAlgorithm::kRsaSha256 ? "rsa" : "ed25519";
}

Result<DkimKey> DkimKey::from_pem(std::string_view pem) {
    const auto refused = [](std::string why) {
        ERR_clear_error();
        return Error{ErrorKind::kInvalid, std::move(why)};
    };
    const std::unique_ptr<BIO, BioDeleter> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const std::shared_ptr<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
    if (!key) return refused(what_it_holds(pem));
    const int type = EVP_PKEY_get_base_id(key.get());
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_ED25519) {
        const char* const name = EVP_PKEY_get0_type_name(key.get());
        return refused("the key's type is " + std::string(name == nullptr ? "unknown" : name) +
                       "; mail is signed with RSA or Ed25519");
    }
    if (EVP_PKEY_get_bits(key.get()) > static_cast<int>(kDkimRsaBitsMax))
        return refused("an RSA key of more than 8192 bits");
    const auto algorithm =
        type == EVP_PKEY_RSA ? DkimAlgorithm::kRsaSha256 : DkimAlgorithm::kEd25519Sha256;
    if (!signs_what_it_verifies(key.get(), algorithm)) return refused("the private key is damaged");
    return DkimKey(key, algorithm);
}

std::uint32_t DkimKey::bits() const {
    return static_cast<std::uint32_t>(EVP_PKEY_get_bits(key_.get()));
}

std::string DkimKey::public_key() const {
    std::string out;
    if (algorithm_ == DkimAlgorithm::kEd25519Sha256) {
        std::array<unsigned char, 32> raw;
        std::size_t size = raw.size();
        CHECK(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) == 1);
        append_base64(out, {reinterpret_cast<const char*>(raw.data()), size});
        return out;
    }
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    CHECK(size > 0);
    append_base64(out, {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return out;
}

}  // namespace posthorn
