#include "engine/mail/dkim_record.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>

#include "engine/mail/encodings.h"

namespace posthorn {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_tag_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::optional<std::string> decode_folded_base64(std::string_view text) {
    std::string packed;
    for (char c : text)
        if (!is_space(c)) packed.push_back(c);
    return decode_base64(packed);
}

bool list_has(std::string_view list, std::string_view wanted) {
    while (true) {
        const std::size_t colon = list.find(':');
        if (trimmed(list.substr(0, colon)) == wanted) return true;
        if (colon == std::string_view::npos) return false;
        list.remove_prefix(colon + 1);
    }
}

struct PkeyDeleter {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyDeleter>;

// p= of an RSA record: a SubjectPublicKeyInfo as everybody publishes it, or the bare RSAPublicKey
// that the text of RFC 6376 asks for.
Pkey rsa_key(std::string_view der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto size = static_cast<long>(der.size());
    if (EVP_PKEY* const key = d2i_PUBKEY(nullptr, &at, size)) return Pkey(key);
    at = reinterpret_cast<const unsigned char*>(der.data());
    return Pkey(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
}

bool same_key(const DkimKey& key, const DkimRecord& record) {
    if (key.algorithm() == DkimAlgorithm::kEd25519Sha256) {
        const std::optional<std::string> ours = decode_base64(key.public_key());
        return ours && *ours == record.public_key;
    }
    const Pkey published = rsa_key(record.public_key);
    return published && EVP_PKEY_eq(published.get(), key.shared().get()) == 1;
}

DkimRecordFault fault_of(const DkimKey& key, std::string_view text) {
    const std::optional<DkimRecord> record = parse_dkim_record(text);
    if (!record) return DkimRecordFault::kUnreadable;
    if (record->public_key.empty()) return DkimRecordFault::kRevoked;
    if (record->key_type != key_type_of(key.algorithm())) return DkimRecordFault::kOtherType;
    if (!same_key(key, *record)) return DkimRecordFault::kOtherKey;
    if (!record->hashes.empty() && !list_has(record->hashes, "sha256"))
        return DkimRecordFault::kNoSha256;
    if (!list_has(record->services, "*") && !list_has(record->services, "email"))
        return DkimRecordFault::kNotForMail;
    return list_has(record->flags, "y") ? DkimRecordFault::kTesting : DkimRecordFault::kNone;
}

}  // namespace

std::optional<DkimRecord> parse_dkim_record(std::string_view text) {
    if (text.size() > kDkimRecordBytesMax) return std::nullopt;
    DkimRecord record;
    std::string seen = ";";
    bool has_key = false;
    for (bool first = true; !text.empty(); first = false) {
        const std::size_t end = text.find(';');
        const std::string_view tag = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (tag.empty() && text.empty()) break;  // a semicolon may end the list
        const std::size_t equals = tag.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string name(trimmed(tag.substr(0, equals)));
        const std::string_view value = trimmed(tag.substr(equals + 1));
        if (!is_tag_name(name) || seen.find(";" + name + ";") != std::string::npos)
            return std::nullopt;
        seen += name + ";";
        if (name == "v" && (!first || value != "DKIM1")) return std::nullopt;
        if (name == "k") record.key_type = value;
        if (name == "h") record.hashes = value;
        if (name == "s") record.services = value;
        if (name == "t") record.flags = value;
        if (name != "p") continue;
        std::optional<std::string> key = decode_folded_base64(value);
        if (!key) return std::nullopt;
        record.public_key = std::move(*key);
        has_key = true;
    }
    return has_key ? std::optional(std::move(record)) : std::nullopt;
}

std::string dkim_record_name(std::string_view selector, std::string_view domain) {
    return std::string(selector).append("._domainkey.").append(domain);
}

std::string dkim_record_for(const DkimKey& key) {
    return "v=DKIM1; k=" + std::string(key_type_of(key.algorithm())) + "; p=" + key.public_key();
}

std::string_view reason(DkimRecordFault fault) {
    switch (fault) {
        case DkimRecordFault::kNone:
            return "the published record fits the key";
        case DkimRecordFault::kTesting:
            return "the published record says t=y: receivers may ignore the signature";
        case DkimRecordFault::kMissing:
            return "no key record is published";
        case DkimRecordFault::kUnreadable:
            return "what is published is no key record";
        case DkimRecordFault::kRevoked:
            return "the published record revokes the key";
        case DkimRecordFault::kOtherType:
            return "the published record is for another type of key";
        case DkimRecordFault::kOtherKey:
            return "the published record is of another key";
        case DkimRecordFault::kNoSha256:
            return "the published record does not allow SHA-256";
        case DkimRecordFault::kNotForMail:
            return "the published record is not for mail";
    }
    return "";
}

DkimRecordFault record_fault(const DkimKey& key, std::span<const std::string> texts) {
    if (texts.empty()) return DkimRecordFault::kMissing;
    // With several records a verifier may take any (RFC 6376 section 3.6.2.2): the worst one
    // counts.
    DkimRecordFault worst = DkimRecordFault::kNone;
    for (const std::string& text : texts) worst = std::max(worst, fault_of(key, text));
    return worst;
}

}  // namespace posthorn
