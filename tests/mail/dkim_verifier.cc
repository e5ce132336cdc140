#include "tests/mail/dkim_verifier.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

namespace posthorn::testing_dkim {
namespace {

struct Message {
    std::vector<std::string> fields;  // with their final CRLF
    std::string body;
};

Message parse(std::string_view text) {
    Message out;
    std::size_t at = 0;
    while (text.substr(at, 2) != "\r\n" && at < text.size()) {
        const std::size_t end = std::min(text.find("\r\n", at), text.size() - 2) + 2;
        const std::string line(text.substr(at, end - at));
        if (line[0] == ' ' || line[0] == '\t')
            out.fields.back() += line;
        else
            out.fields.push_back(line);
        at = end;
    }
    out.body = text.substr(std::min(at + 2, text.size()));
    return out;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

std::string name_of(const std::string& field) {
    std::string name = field.substr(0, field.find(':'));
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.pop_back();
    return lower(name);
}

std::string without_white_space(std::string_view text) {
    std::string out;
    for (char c : text)
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += c;
    return out;
}

Tags tags_of(std::string_view list) {
    Tags out;
    while (!list.empty()) {
        const std::string tag = without_white_space(list.substr(0, list.find(';')));
        list.remove_prefix(std::min(list.size(), list.find(';') + (list.find(';') < list.size())));
        if (tag.empty()) continue;
        out[tag.substr(0, tag.find('='))] = tag.substr(tag.find('=') + 1);
    }
    return out;
}

std::string base64(const std::string& text) {
    std::string out(text.size(), '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return "";
    const auto padding = std::count(text.begin(), text.end(), '=');
    out.resize(static_cast<std::size_t>(size - padding));
    return out;
}

std::string sha256(const std::string& text) {
    std::string out(32, '\0');
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
               EVP_sha256(), nullptr);
    return out;
}

// The value of b= removed, everything else as it stands.
std::string without_signature(std::string field) {
    std::size_t at = field.find(':') + 1;
    while (true) {
        std::size_t end = std::min(field.find(';', at), field.size());
        const std::string tag = field.substr(at, end - at);
        if (without_white_space(tag.substr(0, tag.find('='))) == "b") {
            if (end == field.size() && field.ends_with("\r\n")) end -= 2;
            const std::size_t value = at + tag.find('=') + 1;
            return field.erase(value, end - value);
        }
        if (end == field.size()) return field;
        at = end + 1;
    }
}

struct PkeyDeleter {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

bool verified(const std::string& algorithm, const std::string& key_bytes, const std::string& text,
              const std::string& signature) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(key_bytes.data());
    const bool rsa = algorithm == "rsa-sha256";
    const std::unique_ptr<EVP_PKEY, PkeyDeleter> key(
        rsa ? d2i_PUBKEY(nullptr, &bytes, static_cast<long>(key_bytes.size()))
            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes, key_bytes.size()));
    if (!key) return false;
    const std::unique_ptr<EVP_MD_CTX, DigestDeleter> context(EVP_MD_CTX_new());
    const std::string input = rsa ? text : sha256(text);
    return EVP_DigestVerifyInit(context.get(), nullptr, rsa ? EVP_sha256() : nullptr, nullptr,
                                key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(input.data()),
                            input.size()) == 1;
}

// The signed fields in the order of h=, each name's from the last to the first.
std::string signed_text(const Message& message, const std::string& names, bool relaxed) {
    std::string out;
    std::map<std::string, std::size_t> used;
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(':', at), names.size());
        const std::string name = lower(names.substr(at, end - at));
        at = end + 1;
        std::vector<std::string> same;
        for (const std::string& field : message.fields)
            if (name_of(field) == name) same.push_back(field);
        const std::size_t index = used[name]++;
        if (index >= same.size()) continue;
        const std::string& field = same[same.size() - 1 - index];
        out += relaxed ? relaxed_header_the_slow_way(field) + "\r\n" : field;
    }
    return out;
}

}  // namespace

std::string relaxed_header_the_slow_way(std::string_view field) {
    std::string unfolded;
    for (char c : field)
        if (c != '\r' && c != '\n') unfolded += c == '\t' ? ' ' : c;
    std::string value = unfolded.substr(unfolded.find(':') + 1);
    for (std::size_t at; (at = value.find("  ")) != std::string::npos;) value.erase(at, 1);
    if (value.starts_with(" ")) value.erase(0, 1);
    if (value.ends_with(" ")) value.pop_back();
    return name_of(unfolded) + ":" + value;
}

std::string relaxed_body_the_slow_way(std::string_view body) {
    std::vector<std::string> lines;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find("\r\n"), body.size());
        std::string line(body.substr(0, end));
        body.remove_prefix(std::min(body.size(), end + 2));
        std::replace(line.begin(), line.end(), '\t', ' ');
        for (std::size_t at; (at = line.find("  ")) != std::string::npos;) line.erase(at, 1);
        if (line.ends_with(" ")) line.pop_back();
        lines.push_back(line);
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    std::string out;
    for (const std::string& line : lines) out += line + "\r\n";
    return out;
}

std::vector<Tags> signatures_of(std::string_view message) {
    std::vector<Tags> out;
    for (const std::string& field : parse(message).fields)
        if (name_of(field) == "dkim-signature")
            out.push_back(tags_of(std::string_view(field).substr(field.find(':') + 1)));
    return out;
}

std::string verification_fault(std::string_view text, std::size_t signature,
                               const std::string& record) {
    const Message message = parse(text);
    std::vector<std::string> fields;
    for (const std::string& field : message.fields)
        if (name_of(field) == "dkim-signature") fields.push_back(field);
    if (signature >= fields.size()) return "no such signature";
    Tags tags = tags_of(std::string_view(fields[signature]).substr(15));
    if (tags["v"] != "1") return "version " + tags["v"];
    const bool relaxed_headers = tags["c"].starts_with("relaxed");
    const std::string body =
        tags["c"].ends_with("/relaxed") ? relaxed_body_the_slow_way(message.body) : message.body;
    if (sha256(body) != base64(tags["bh"])) return "the body has changed";
    std::string own = without_signature(fields[signature]);
    own = relaxed_headers ? relaxed_header_the_slow_way(own) : own.substr(0, own.size() - 2);
    const std::string input = signed_text(message, tags["h"], relaxed_headers) + own;
    Tags key = tags_of(record);
    if (tags["a"] != (key["k"] == "ed25519" ? "ed25519-sha256" : "rsa-sha256"))
        return "another algorithm";
    return verified(tags["a"], base64(key["p"]), input, base64(tags["b"])) ? ""
                                                                           : "a header has changed";
}

}  // namespace posthorn::testing_dkim
