#include "engine/delivery/sts_policy.h"

#include <algorithm>
#include <charconv>

#include "engine/base/ascii.h"
#include "engine/base/bytes.h"
#include "engine/mail/address.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kPoliciesMax = 100'000;  // some 400 bytes each
constexpr std::size_t kPatternsMax = 500;      // of one policy
constexpr std::size_t kIdBytesMax = 32;
constexpr std::uint32_t kMaxAgeMax_s = 31'557'600;  // section 3.2: about a year
constexpr std::string_view kVersion = "STSv1";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    const std::size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string_view take_until(std::string_view& rest, char end) {
    const std::size_t at = std::min(rest.find(end), rest.size());
    const std::string_view part = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return part;
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
    });
}

Error no_policy(std::string why) { return {ErrorKind::kInvalid, std::move(why)}; }

std::optional<StsMode> parse_mode(std::string_view text) {
    for (const StsMode mode : {StsMode::kNone, StsMode::kTesting, StsMode::kEnforce})
        if (text == name_of(mode)) return mode;
    return std::nullopt;
}

// A pattern in lower case and A-labels; empty: it is none.
std::string parse_pattern(std::string_view text) {
    const bool star = text.starts_with("*.");
    std::string domain;
    if (parse_domain(text.substr(star ? 2 : 0), domain) != AddressFault::kNone) return "";
    return star ? "*." + domain : domain;
}

struct Seen {
    bool version = false, mode = false, max_age = false;
};

// One field; of those that may stand once the first counts. Unknown ones are for others.
Status take_field(std::string_view key, std::string_view value, StsPolicy& policy, Seen& seen) {
    if (key == "version" && !std::exchange(seen.version, true)) {
        if (value != kVersion) return no_policy("version is not STSv1");
    } else if (key == "mode" && !std::exchange(seen.mode, true)) {
        const auto mode = parse_mode(value);
        if (!mode) return no_policy("mode is none of enforce, testing, none");
        policy.mode = *mode;
    } else if (key == "max_age" && !std::exchange(seen.max_age, true)) {
        std::uint32_t seconds = 0;
        const char* end = value.data() + value.size();
        const auto [at, fault] = std::from_chars(value.data(), end, seconds);
        if (fault != std::errc() || at != end) return no_policy("max_age is no number of seconds");
        policy.max_age = std::chrono::seconds(std::min(seconds, kMaxAgeMax_s));
    } else if (key == "mx") {
        if (policy.mx.size() == kPatternsMax) return no_policy("more than 500 mx");
        std::string pattern = parse_pattern(value);
        if (pattern.empty()) return no_policy("an mx is no host name");
        policy.mx.push_back(std::move(pattern));
    }
    return {};
}

}  // namespace

std::string_view name_of(StsMode mode) {
    switch (mode) {
        case StsMode::kNone:
            return "none";
        case StsMode::kTesting:
            return "testing";
        case StsMode::kEnforce:
            return "enforce";
    }
    return "none";
}

bool StsPolicy::covers(std::string_view host) const {
    return std::ranges::any_of(mx, [host](std::string_view pattern) {
        if (!pattern.starts_with("*.")) return pattern == host;
        const std::size_t label = host.find('.');
        return label != std::string_view::npos && label > 0 &&
               host.substr(label) == pattern.substr(1);
    });
}

Result<StsPolicy> parse_sts_policy(std::string_view text) {
    if (text.size() > kStsPolicyBytesMax) return no_policy("longer than 64 KiB");
    StsPolicy policy;
    Seen seen;
    while (!text.empty()) {
        std::string_view line = take_until(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trimmed(line).empty()) continue;
        if (line.find(':') == std::string_view::npos) return no_policy("a line is no field");
        const std::string_view key = trimmed(take_until(line, ':'));
        RETURN_IF_ERROR(take_field(key, trimmed(line), policy, seen));
    }
    if (!seen.version || !seen.mode || !seen.max_age)
        return no_policy("version, mode or max_age is missing");
    if (policy.mx.empty() && policy.mode != StsMode::kNone) return no_policy("no mx");
    return policy;
}

std::optional<std::string> parse_sts_record(const std::vector<std::string>& texts) {
    std::optional<std::string_view> record;
    for (const std::string& text : texts) {
        std::string_view rest = text;
        if (trimmed(take_until(rest, ';')) != "v=STSv1" || !text.starts_with("v=STSv1")) continue;
        if (record) return std::nullopt;
        record = rest;
    }
    if (!record) return std::nullopt;
    while (!record->empty()) {
        const std::string_view field = trimmed(take_until(*record, ';'));
        if (field.starts_with("id=") && is_id(field.substr(3))) return std::string(field.substr(3));
    }
    return std::nullopt;
}

StsCache::Entry& StsCache::entry(const std::string& domain) {
    if (entries_.size() >= kPoliciesMax && !entries_.contains(domain)) entries_.clear();
    return entries_[domain];
}

bool StsCache::restore(const std::string& domain, std::string_view stored, WallTime now) {
    ByteReader reader(stored);
    const std::uint8_t format = reader.u8();
    const std::uint8_t mode = reader.u8();
    Entry kept;
    kept.fetched = wall_from_micros(static_cast<std::int64_t>(reader.u64()));
    kept.expires = wall_from_micros(static_cast<std::int64_t>(reader.u64()));
    kept.id = reader.string();
    StsPolicy policy;
    for (std::uint64_t count = reader.varint(); count > 0 && reader.ok(); --count)
        policy.mx.emplace_back(reader.string());
    if (!reader.at_end() || format != kFormat || policy.mx.size() > kPatternsMax) return false;
    if (mode > static_cast<std::uint8_t>(StsMode::kEnforce) || kept.expires <= now) return false;
    policy.mode = static_cast<StsMode>(mode);
    policy.max_age = kept.expires - kept.fetched;
    kept.policy = std::make_shared<const StsPolicy>(std::move(policy));
    entry(domain) = std::move(kept);
    return true;
}

const StsCache::Entry* StsCache::find(const std::string& domain, WallTime now) const {
    const auto found = entries_.find(domain);
    if (found == entries_.end() || found->second.expires <= now) return nullptr;
    return &found->second;
}

PutState StsCache::keep(const std::string& domain, StsPolicy policy, std::string id, WallTime now) {
    const WallTime expires = now + policy.max_age;
    std::string value;
    put_u8(value, kFormat);
    put_u8(value, static_cast<std::uint8_t>(policy.mode));
    put_u64(value, static_cast<std::uint64_t>(to_micros(now)));
    put_u64(value, static_cast<std::uint64_t>(to_micros(expires)));
    put_string(value, id);
    put_varint(value, policy.mx.size());
    for (const std::string& pattern : policy.mx) put_string(value, pattern);
    entry(domain) = {std::make_shared<const StsPolicy>(std::move(policy)), std::move(id), now,
                     expires};
    return {std::string(kStsKind), domain, std::move(value)};
}

}  // namespace posthorn
