#include "campaigns/dkim_keys.h"

#include <openssl/crypto.h>

#include <string_view>

#include "campaigns/campaign_file_sections.h"

namespace posthorn {
namespace {

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;

}  // namespace

Result<DkimKey> read_dkim_key(const std::string& file) {
    std::optional<std::string> pem = read_at_most(file, kKeyFileBytesMax);
    if (!pem) return Error{ErrorKind::kInvalid, "the key file cannot be read"};
    Result<DkimKey> key = pem->size() > kKeyFileBytesMax
                              ? Error{ErrorKind::kInvalid, "the file is too large for a key"}
                              : DkimKey::from_pem(*pem);
    OPENSSL_cleanse(pem->data(), pem->size());
    return key;
}

Result<std::shared_ptr<const DkimSigner>> dkim_signer(const Campaign& campaign) {
    if (campaign.dkim.empty()) return std::shared_ptr<const DkimSigner>();
    std::vector<DkimIdentity> identities;
    for (const DkimSignature& signature : campaign.dkim) {
        Result<DkimKey> key = read_dkim_key(signature.key_file);
        if (key && key->algorithm() == DkimAlgorithm::kRsaSha256 && key->bits() < kDkimRsaBitsMin)
            key = Error{ErrorKind::kInvalid, "the key is too small to sign mail with"};
        if (!key)
            return Error{ErrorKind::kInvalid, "campaign " + campaign.id + " cannot be signed: " +
                                                  signature.key_file + ": " + key.error().message};
        identities.push_back({signature.domain, signature.selector, std::move(*key)});
    }
    return std::make_shared<const DkimSigner>(std::move(identities));
}

}  // namespace posthorn
