#include "campaigns/campaign_definition.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_hash.h"
#include "engine/base/units.h"

namespace posthorn {

namespace {

using Json = nlohmann::json;  // keys in order: the canonical form

std::string printed(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json of_address(const Address& address) {
    return {{"email", address.to_string()}, {"name", address.name}};
}

Json of_content(const Content& content) {
    if (!content.present()) return nullptr;
    return {{"file", content.file}, {"sha256", content.sha256}};
}

Json of_limit(const ThrottleLimit& limit) {
    Json out = {{"rate", nullptr}, {"max_connections", nullptr}};
    if (limit.rate) out["rate"] = to_string(*limit.rate);
    if (limit.connections_max) out["max_connections"] = *limit.connections_max;
    return out;
}

Json of_throttle(const Throttle& throttle) {
    Json out = of_limit(throttle.all);
    out["per_domain"] = Json::object();
    for (const auto& [domain, limit] : throttle.per_domain)
        out["per_domain"][domain] = of_limit(limit);
    out["stop_if"] = {{"bounce_percent", nullptr}, {"after", throttle.stop_after}};
    if (throttle.stop_bounce_percent)
        out["stop_if"]["bounce_percent"] = *throttle.stop_bounce_percent;
    return out;
}

Json of_retry(const RetryPolicy& retry) {
    Json steps = Json::array();
    for (const Duration step : retry.schedule) steps.push_back(to_string(step));
    return {{"schedule", steps},
            {"max_attempts", retry.attempts_max},
            {"max_age", to_string(retry.age_max)},
            {"uncertain", retry.hold_uncertain ? "hold" : "resend"}};
}

Json of_compliance(const Compliance& compliance) {
    constexpr const char* kFooters[] = {"auto", "require", "off"};
    Json unsubscribe = {{"one_click", compliance.unsubscribe.one_click}};
    if (!compliance.unsubscribe.url.empty()) unsubscribe["url"] = compliance.unsubscribe.url;
    if (!compliance.unsubscribe.mailto.empty())
        unsubscribe["mailto"] = compliance.unsubscribe.mailto;
    return {{"physical_address", compliance.physical_address},
            {"unsubscribe", unsubscribe},
            {"list_id", compliance.list_id},
            {"footer", kFooters[static_cast<std::size_t>(compliance.footer)]}};
}

Json of_recipients(const RecipientList& list) {
    Json out = {{"file", list.file},
                {"inline", of_content(list.inline_rows)},
                {"format", list.format == ListFormat::kCsv ? "csv" : "ndjson"},
                {"gzip", list.gzip},
                {"columns", {{"email", list.email_column}, {"name", list.name_column}}},
                {"delimiter", list.delimiter == 0 ? "auto" : std::string(1, list.delimiter)},
                {"invalid", list.invalid == InvalidRows::kSkip ? "skip" : "error"},
                {"max_invalid_percent", list.max_invalid_percent},
                {"limit", nullptr}};
    if (list.limit) out["limit"] = *list.limit;
    if (!list.priority.empty()) out["priority"] = list.priority;
    return out;
}

Json of_template(const Campaign& campaign) {
    constexpr const char* kPolicies[] = {"error", "empty", "keep"};
    Json partials = Json::object();
    for (const Partial& partial : campaign.partials)
        partials[partial.name] = of_content(partial.content);
    return {{"missing", kPolicies[static_cast<std::size_t>(campaign.missing)]},
            {"partials", partials}};
}

Json of_exclusions(const Exclusions& exclude) {
    Json lists = Json::array();
    for (const Content& list : exclude.lists) lists.push_back(of_content(list));
    return {{"lists", lists}, {"domains", exclude.domains}, {"addresses", exclude.addresses}};
}

Json of_attachments(const std::vector<Attachment>& attachments) {
    Json out = Json::array();
    for (const Attachment& attachment : attachments) {
        Json item = of_content(attachment.content);
        item["name"] = attachment.name;
        item["type"] = attachment.media_type;
        item["disposition"] = attachment.is_inline ? "inline" : "attachment";
        if (!attachment.cid.empty()) item["cid"] = attachment.cid;
        out.push_back(std::move(item));
    }
    return out;
}

Json of_dkim(const std::vector<DkimSignature>& signatures) {
    Json out = Json::array();
    for (const DkimSignature& signature : signatures)
        out.push_back({{"domain", signature.domain},
                       {"selector", signature.selector},
                       {"file", signature.key_file}});
    return out;
}

Json of_constants(const std::vector<TemplateConstant>& constants) {
    Json vars = Json::object();
    for (const TemplateConstant& var : constants)
        vars[var.name] = var.is_json ? Json::parse(var.value, nullptr, false) : Json(var.value);
    return vars;
}

Json of_variant(const Variant& variant) {
    Json out = {{"name", variant.name},
                {"weight", variant.weight},
                {"html", of_content(variant.html)},
                {"vars", of_constants(variant.vars)}};
    if (variant.from) out["from"] = of_address(*variant.from);
    if (variant.subject) out["subject"] = *variant.subject;
    if (variant.preheader) out["preheader"] = *variant.preheader;
    if (variant.text_source == TextSource::kAuto) out["text"] = "auto";
    if (variant.text_source == TextSource::kGiven) out["text"] = of_content(variant.text);
    return out;
}

Json of_schedule(const CampaignSchedule& schedule) {
    Json out = {{"send_at", nullptr}, {"max_lateness", to_string(schedule.max_lateness)}};
    if (schedule.send_at) out["send_at"] = rfc3339(*schedule.send_at);
    if (!schedule.timezone.empty()) out["timezone"] = schedule.timezone;
    for (const SendingWindow& window : schedule.windows)
        out["windows"].push_back({{"days", weekdays_text(window.days)},
                                  {"start", time_of_day_text(window.start)},
                                  {"end", time_of_day_text(window.end)}});
    return out;
}

// What few campaigns have is left out where it is not there: their definitions and digests stay as
// they were before there was such a key.
void add_sending(Json& out, const Campaign& campaign) {
    if (!campaign.segment.empty()) out["segment"] = campaign.segment;
    for (const Variant& variant : campaign.variants) out["variants"].push_back(of_variant(variant));
    if (campaign.schedule != CampaignSchedule()) out["schedule"] = of_schedule(campaign.schedule);
}

// Arrays of pairs where the order is the file's.
Json of_campaign(const Campaign& campaign) {
    Json headers = Json::array();
    for (const auto& [name, value] : campaign.headers) headers.push_back({{name, value}});
    Json out = {{"version", 1},
                {"id", campaign.id},
                {"name", campaign.name},
                {"kind", campaign.kind == CampaignKind::kMarketing ? "marketing" : "transactional"},
                {"from", of_address(campaign.from)},
                {"to_name", campaign.to_name},
                {"subject", campaign.subject},
                {"preheader", campaign.preheader},
                {"html", of_content(campaign.html)},
                {"text", of_content(campaign.text)},
                {"template", of_template(campaign)},
                {"vars", of_constants(campaign.vars)},
                {"recipients", of_recipients(campaign.recipients)},
                {"exclude", of_exclusions(campaign.exclude)},
                {"headers", headers},
                {"throttle", of_throttle(campaign.throttle)},
                {"retry", of_retry(campaign.retry)},
                {"compliance", of_compliance(campaign.compliance)},
                {"tags", campaign.tags},
                {"metadata", Json::parse(campaign.metadata, nullptr, false)}};
    // Left out when there are none, as in the definitions of campaigns entered before.
    if (!campaign.dkim.empty()) out["dkim"] = of_dkim(campaign.dkim);
    out["reply_to"] = campaign.reply_to ? of_address(*campaign.reply_to) : Json();
    out["return_path"] = campaign.return_path ? Json(campaign.return_path->to_string()) : Json();
    if (campaign.text_source == TextSource::kAuto) out["text"] = "auto";
    if (!campaign.attachments.empty()) out["attachments"] = of_attachments(campaign.attachments);
    add_sending(out, campaign);
    return out;
}

// A digest follows what is sent, not where the files lie.
void drop_paths(Json& json) {
    if (!json.is_structured()) return;
    if (json.is_object()) json.erase("file");
    for (Json& member : json) drop_paths(member);
}

bool names_files(std::string_view key) {
    return key == "html" || key == "text" || key == "template" || key == "recipients" ||
           key == "exclude" || key == "attachments" || key == "dkim" || key == "variants";
}

constexpr std::string_view kWindows = "schedule.windows";

bool may_change(std::string_view key) {
    return key == "throttle" || key == "retry" || key == kWindows;
}

template <class Visit>
void visit_contents(Campaign& campaign, const Visit& visit) {
    visit(campaign.html);
    visit(campaign.text);
    for (Partial& partial : campaign.partials) visit(partial.content);
    for (Attachment& attachment : campaign.attachments) visit(attachment.content);
    for (Variant& variant : campaign.variants) {
        visit(variant.html);
        visit(variant.text);
    }
    visit(campaign.recipients.inline_rows);
}

}  // namespace

std::string normalise(const Campaign& campaign) { return printed(of_campaign(campaign)); }

std::vector<NamedContent> contents(const Campaign& campaign) {
    std::vector<NamedContent> out;
    visit_contents(const_cast<Campaign&>(campaign), [&](const Content& content) {
        if (content.present()) out.push_back({content.sha256, content.bytes});
    });
    return out;
}

Status attach_contents(Campaign& campaign,
                       const std::function<Result<std::string>(std::string_view)>& fetch) {
    Status status;
    visit_contents(campaign, [&](Content& content) {
        if (!content.present() || !status) return;
        Result<std::string> bytes = fetch(content.sha256);
        if (!bytes)
            status = bytes.error();
        else if (sha256_hex(*bytes) != content.sha256)
            status = Error{ErrorKind::kCorrupt,
                           "a stored content of campaign " + campaign.id + " is damaged"};
        else
            content.bytes = std::move(*bytes);
    });
    return status;
}

Digests digests(const Campaign& campaign) {
    Digests out;
    Json json = of_campaign(campaign);
    // Windows have a digest of their own, and the rest of the schedule one only if it says
    // anything.
    if (const auto schedule = json.find("schedule"); schedule != json.end()) {
        if (const auto windows = schedule->find("windows"); windows != schedule->end()) {
            out.emplace_back(kWindows, sha256_hex(printed(*windows)));
            schedule->erase(windows);
        }
        CampaignSchedule rest = campaign.schedule;
        rest.windows.clear();
        if (rest == CampaignSchedule()) json.erase("schedule");
    }
    for (auto& [key, value] : json.items()) {
        if (names_files(key)) drop_paths(value);
        out.emplace_back(key, sha256_hex(printed(value)));
    }
    std::sort(out.begin(), out.end());
    return out;
}

CampaignChange compare(const Digests& sent, const Digests& now) {
    CampaignChange change;
    const auto find = [](const Digests& digests, const std::string& key) {
        const auto at = std::find_if(digests.begin(), digests.end(),
                                     [&](const auto& digest) { return digest.first == key; });
        return at == digests.end() ? std::string() : at->second;
    };
    const auto note = [&](const std::string& key) {
        (may_change(key) ? change.recorded : change.refused).push_back(key);
    };
    for (const auto& [key, hash] : sent)
        if (key != kListDigest && find(now, key) != hash) note(key);
    for (const auto& [key, hash] : now)
        if (key != kListDigest && find(sent, key).empty()) note(key);
    return change;
}

}  // namespace posthorn
