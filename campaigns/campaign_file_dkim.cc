// The signatures of a campaign: each key is read and looked at, and forgotten again.
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/dkim_keys.h"
#include "campaigns/organisational_domain.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kGenerate = "make one: openssl genrsa -out s1.pem 2048";

void check_key(CampaignReading& reading, const std::string& path, std::string_view written,
               const std::string& file) {
    const Result<DkimKey> key = read_dkim_key(file);
    if (!key) {
        reading.error(CampaignErrorCode::kDkimKey, path,
                      in_quotes(written) + ": " + key.error().message, kGenerate);
        return;
    }
    struct stat status {};
    if (stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        reading.warning(CampaignErrorCode::kDkimKey, path,
                        in_quotes(written) + " can be read by everybody on this machine",
                        "run chmod 600 on it");
    if (key->algorithm() != DkimAlgorithm::kRsaSha256) return;
    const std::string bits = "the RSA key has " + std::to_string(key->bits()) + " bits";
    if (key->bits() < kDkimRsaBitsMin)
        reading.error(CampaignErrorCode::kDkimWeak, path,
                      bits + "; receivers refuse fewer than 1024 (RFC 8301)", kGenerate);
    else if (key->bits() < kDkimRsaBitsWanted)
        reading.warning(CampaignErrorCode::kDkimWeak, path,
                        bits + "; 2048 are expected today (RFC 8301)", kGenerate);
}

std::string required_text(const ObjectReader& object, std::string_view key) {
    if (object.value(key) == nullptr)
        object.reading().error(CampaignErrorCode::kRequired, object.path(),
                               "`" + std::string(key) + "` is missing here");
    return object.text(key).value_or("");
}

void read_signature(const ObjectReader& object, Campaign& campaign) {
    CampaignReading& reading = object.reading();
    DkimSignature signature;
    const std::string domain = required_text(object, "domain");
    signature.selector = required_text(object, "selector");
    const std::string key_file = required_text(object, "key_file");
    if (!domain.empty() && parse_domain(domain, signature.domain) != AddressFault::kNone) {
        reading.error(CampaignErrorCode::kRange, object.path_of("domain"),
                      in_quotes(domain) + " is not a domain", "use the domain of `from`");
        signature.domain.clear();
    }
    if (!signature.selector.empty() && !valid_dkim_selector(signature.selector)) {
        reading.error(CampaignErrorCode::kRange, object.path_of("selector"),
                      in_quotes(signature.selector) + " is not a selector",
                      "use letters, digits and -: the first part of the name of the key's record, "
                      "s1 of s1._domainkey.example.com");
        return;
    }
    if (!key_file.empty()) {
        const std::string path = object.path_of("key_file");
        if (const auto file = resolve_file(reading, path, key_file)) {
            check_key(reading, path, key_file, *file);
            signature.key_file = *file;
        }
    }
    const bool twice =
        std::any_of(campaign.dkim.begin(), campaign.dkim.end(), [&](const DkimSignature& other) {
            return other.domain == signature.domain && other.selector == signature.selector;
        });
    if (twice)
        reading.error(CampaignErrorCode::kConflict, object.path(),
                      "two signatures have this domain and selector", "keep one of them");
    campaign.dkim.push_back(std::move(signature));
}

}  // namespace

void read_dkim(const ObjectReader& file, Campaign& campaign) {
    const Json* const list = file.array("dkim");
    if (list == nullptr) return;
    CampaignReading& reading = file.reading();
    if (list->size() > kMaxSignatures) {
        reading.error(CampaignErrorCode::kRange, "/dkim", "a message takes at most 8 signatures");
        return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string path = "/dkim/" + std::to_string(i);
        if ((*list)[i].is_object())
            read_signature(ObjectReader(reading, (*list)[i], path), campaign);
        else
            reading.error(
                CampaignErrorCode::kType, path, "a signature is an object",
                R"(use {"domain": "example.com", "selector": "s1", "key_file": "s1.pem"})");
    }
    const bool aligned = std::any_of(
        campaign.dkim.begin(), campaign.dkim.end(), [&](const DkimSignature& signature) {
            return !signature.domain.empty() &&
                   is_aligned(signature.domain, campaign.from.domain, false);
        });
    if (!campaign.dkim.empty() && !aligned && !campaign.from.domain.empty() &&
        !campaign.dkim.front().domain.empty())
        reading.warning(CampaignErrorCode::kDkimUnaligned, "/dkim",
                        "no signature is by the domain of `from`, " + campaign.from.domain +
                            ": for DMARC the mail is not signed",
                        "sign with " + campaign.from.domain + " too");
}

}  // namespace posthorn
