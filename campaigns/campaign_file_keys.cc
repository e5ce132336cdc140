#include "campaigns/campaign_file_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/nearest_name.h"
#include "engine/base/ascii.h"

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
    {"", "segment"},
    {"", "exclude"},
    {"", "variants"},
    {"", "ab_test", kNotYet},
    {"", "schedule"},
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
    {"/recipients", "priority"},
    {"/recipients/columns", "email"},
    {"/recipients/columns", "name"},
    {"/recipients/*", "email"},
    {"/recipients/*", "name"},
    {"/recipients/*", "vars"},
    {"/recipients/*", "headers"},
    {"/recipients/*", "metadata"},
    {"/variants/*", "name"},
    {"/variants/*", "weight"},
    {"/variants/*", "subject"},
    {"/variants/*", "preheader"},
    {"/variants/*", "from"},
    {"/variants/*", "html"},
    {"/variants/*", "html_file"},
    {"/variants/*", "text"},
    {"/variants/*", "text_file"},
    {"/variants/*", "vars"},
    {"/variants/*/from", "email"},
    {"/variants/*/from", "name"},
    {"/ab_test", "sample_percent", kNotYet},
    {"/ab_test", "metric", kNotYet},
    {"/ab_test", "wait", kNotYet},
    {"/ab_test", "winner", kNotYet},
    {"/schedule", "send_at"},
    {"/schedule", "timezone"},
    {"/schedule", "windows"},
    {"/schedule", "max_lateness"},
    {"/schedule/windows/*", "days"},
    {"/schedule/windows/*", "start"},
    {"/schedule/windows/*", "end"},
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

bool has_keys(std::string_view parent) {
    return std::any_of(std::begin(kKnownKeys), std::end(kKnownKeys),
                       [&](const KnownKey& key) { return key.parent == parent; });
}

const KnownKey* find_key(std::string_view parent, std::string_view name) {
    for (const KnownKey& key : kKnownKeys)
        if (key.parent == parent && key.name == name) return &key;
    return nullptr;
}

// "replyTo", "Reply-To" and "reply_to" are one name.
std::string folded(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (c != '_' && c != '-' && c != ' ') out.push_back(ascii_lower(c));
    return out;
}

std::string hint_for(std::string_view parent, std::string_view wrong) {
    if (std::find(std::begin(kNamesForVars), std::end(kNamesForVars), wrong) !=
        std::end(kNamesForVars))
        return "use `vars`";
    const std::string_view near = nearest_key(parent, wrong);
    if (!near.empty()) return "did you mean `" + std::string(near) + "`?";
    for (const KnownKey& key : kKnownKeys)  // one level off
        if (key.name == wrong && key.parent != parent && !key.parent.empty() &&
            key.parent.find('*') == std::string_view::npos)
            return "it belongs in `" + std::string(key.parent.substr(1)) + "`";
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
    if (wrong.size() > kMaxComparedNameBytes) return {};
    const std::string wanted = folded(wrong);
    std::string_view nearest;
    std::size_t least = nearness(wanted.size()) + 1;
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
