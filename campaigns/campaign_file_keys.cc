#include "campaigns/campaign_file_keys.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;
constexpr KeySupport kNotYet = KeySupport::kNotYet;

constexpr KnownKey kKnownKeys[] = {
    {"", "$schema"},
    {"", "version"},
    {"", "id"},
    {"", "name"},
    {"", "kind"},
    {"", "from"},
    {"", "reply_to"},
    {"", "return_path"},
    {"", "to_name"},
    {"", "subject"},
    {"", "preheader"},
    {"", "html"},
    {"", "html_file"},
    {"", "text"},
    {"", "text_file"},
    {"", "template"},
    {"", "vars"},
    {"", "recipients"},
    {"", "segment", kNotYet},
    {"", "exclude"},
    {"", "variants", kNotYet},
    {"", "ab_test", kNotYet},
    {"", "schedule", kNotYet},
    {"", "throttle"},
    {"", "retry"},
    {"", "compliance"},
    {"", "tracking", kNotYet},
    {"", "dkim"},
    {"", "headers"},
    {"", "tags"},
    {"", "metadata"},
    {"", "attachments"},
    {"/from", "email"},
    {"/from", "name"},
    {"/reply_to", "email"},
    {"/reply_to", "name"},
    {"/template", "missing"},
    {"/template", "partials_dir"},
    {"/recipients", "file"},
    {"/recipients", "format"},
    {"/recipients", "columns"},
    {"/recipients", "delimiter"},
    {"/recipients", "invalid"},
    {"/recipients", "max_invalid_percent"},
    {"/recipients", "limit"},
    {"/recipients", "priority", kNotYet},
    {"/recipients/columns", "email"},
    {"/recipients/columns", "name"},
    {"/recipients/*", "email"},
    {"/recipients/*", "name"},
    {"/recipients/*", "vars"},
    {"/recipients/*", "headers", kNotYet},
    {"/recipients/*", "metadata", kNotYet},
    {"/variants/*", "name", kNotYet},
    {"/variants/*", "weight", kNotYet},
    {"/variants/*", "subject", kNotYet},
    {"/variants/*", "preheader", kNotYet},
    {"/variants/*", "from", kNotYet},
    {"/variants/*", "html", kNotYet},
    {"/variants/*", "html_file", kNotYet},
    {"/variants/*", "text", kNotYet},
    {"/variants/*", "text_file", kNotYet},
    {"/variants/*", "vars", kNotYet},
    {"/ab_test", "sample_percent", kNotYet},
    {"/ab_test", "metric", kNotYet},
    {"/ab_test", "wait", kNotYet},
    {"/ab_test", "winner", kNotYet},
    {"/schedule", "send_at", kNotYet},
    {"/schedule", "timezone", kNotYet},
    {"/schedule", "windows", kNotYet},
    {"/schedule", "max_lateness", kNotYet},
    {"/schedule/windows/*", "days", kNotYet},
    {"/schedule/windows/*", "start", kNotYet},
    {"/schedule/windows/*", "end", kNotYet},
    {"/throttle", "rate"},
    {"/throttle", "max_connections"},
    {"/throttle", "per_domain"},
    {"/throttle", "stop_if"},
    {"/throttle/per_domain/*", "rate"},
    {"/throttle/per_domain/*", "max_connections"},
    {"/throttle/stop_if", "bounce_percent"},
    {"/throttle/stop_if", "complaint_percent", kNotYet},
    {"/throttle/stop_if", "after"},
    {"/retry", "schedule"},
    {"/retry", "max_attempts"},
    {"/retry", "max_age"},
    {"/retry", "uncertain"},
    {"/compliance", "physical_address"},
    {"/compliance", "unsubscribe"},
    {"/compliance", "list_id"},
    {"/compliance", "footer"},
    {"/compliance/unsubscribe", "url"},
    {"/compliance/unsubscribe", "mailto"},
    {"/compliance/unsubscribe", "one_click"},
    {"/tracking", "opens", kNotYet},
    {"/tracking", "clicks", kNotYet},
    {"/tracking", "base_url", kNotYet},
    {"/dkim/*", "domain"},
    {"/dkim/*", "selector"},
    {"/dkim/*", "key_file"},
    {"/attachments/*", "path"},
    {"/attachments/*", "cid"},
    {"/attachments/*", "disposition"},
    {"/attachments/*", "name"},
    {"/attachments/*", "type"},
};

// What other senders call the recipients' variables.
constexpr std::string_view kNamesForVars[] = {
    "substitution_data", "dynamic_template_data", "recipient-variables", "personalizations",
    "attribs",           "template_data"};

constexpr std::size_t kMaxNameBytes = 64;  // longer wrong names are not compared

bool has_keys(std::string_view parent) {
    return std::any_of(std::begin(kKnownKeys), std::end(kKnownKeys),
                       [&](const KnownKey& key) { return key.parent == parent; });
}

const KnownKey* find_key(std::string_view parent, std::string_view name) {
    for (const KnownKey& key : kKnownKeys)
        if (key.parent == parent && key.name == name) return &key;
    return nullptr;
}

// Levenshtein's, over two rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, kMaxNameBytes + 1> row;
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t above = row[j + 1];
            const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            row[j + 1] = std::min({change, above + 1, row[j] + 1});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// "replyTo", "Reply-To" and "reply_to" are one name.
std::string folded(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (c != '_' && c != '-' && c != ' ')
            out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    return out;
}

std::string hint_for(std::string_view parent, std::string_view wrong) {
    if (std::find(std::begin(kNamesForVars), std::end(kNamesForVars), wrong) !=
        std::end(kNamesForVars))
        return "use `vars`";
    const std::string_view near = nearest_key(parent, wrong);
    if (!near.empty()) return "did you mean `" + std::string(near) + "`?";
    std::string hint = "known here:";
    for (const KnownKey& key : kKnownKeys)
        if (key.parent == parent) hint += " " + std::string(key.name);
    return hint;
}

class KeyWalk {
  public:
    explicit KeyWalk(CampaignReading& reading) : reading_(reading) {}

    // Pattern is the path with "*" where any key or index may stand.
    void walk(const Json& value, const std::string& pattern, const std::string& path) {
        if (value.is_array()) {
            const std::string item = pattern + "/*";
            if (!has_keys(item)) return;
            for (std::size_t i = 0; i < value.size(); ++i)
                walk(value[i], item, path + "/" + std::to_string(i));
        } else if (value.is_object()) {
            const bool closed = has_keys(pattern);
            for (const auto& [name, member] : value.items()) {
                std::string member_path = path;
                append_pointer(member_path, name);
                if (!closed)
                    walk(member, pattern + "/*", member_path);
                else if (known(pattern, name, member, member_path))
                    walk(member, pattern + "/" + name, member_path);
            }
        }
    }

  private:
    bool known(const std::string& pattern, const std::string& name, const Json& member,
               const std::string& path) {
        const KnownKey* const key = find_key(pattern, name);
        if (key == nullptr) {
            reading_.key_error(CampaignErrorCode::kUnknownField, path,
                               in_quotes(name) + " is not a key of " +
                                   (pattern.empty() ? "a campaign" : "`" + pattern.substr(1) + "`"),
                               hint_for(pattern, name));
            return false;
        }
        if (key->support == KeySupport::kCarriedOut) return true;
        if (!member.is_null())
            reading_.key_error(CampaignErrorCode::kUnsupported, path,
                               in_quotes(name) + " is not supported yet", "leave it out");
        return false;
    }

    CampaignReading& reading_;
};

}  // namespace

std::span<const KnownKey> known_keys() { return kKnownKeys; }

void check_known_keys(CampaignReading& reading, const Json& file) {
    KeyWalk(reading).walk(file, "", "");
}

std::string_view nearest_key(std::string_view parent, std::string_view wrong) {
    if (wrong.size() > kMaxNameBytes) return {};
    const std::string wanted = folded(wrong);
    std::string_view nearest;
    std::size_t least = wanted.size() / 3 + 2;  // farther names are no help
    for (const KnownKey& key : kKnownKeys) {
        if (key.parent != parent || key.name.front() == '$') continue;
        const std::size_t distance = edit_distance(wanted, folded(key.name));
        if (distance < least) {
            least = distance;
            nearest = key.name;
        }
    }
    return nearest;
}

}  // namespace posthorn
