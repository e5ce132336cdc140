// Reads a normalised definition back: the sections of the campaign file, but for contents and
// lists, which stand there by hash and canonical path.
#include <nlohmann/json.hpp>

#include "campaigns/campaign_definition.h"
#include "campaigns/campaign_file_sections.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

Content content_of(const ObjectReader& object, std::string_view key) {
    const auto content = object.object(key);
    if (!content) return {};
    return {content->text("file").value_or(""), {}, content->text("sha256").value_or("")};
}

std::vector<std::string> strings_of(const ObjectReader& object, std::string_view key) {
    std::vector<std::string> out;
    if (const Json* const list = object.array(key))
        for (const Json& item : *list)
            if (item.is_string()) out.push_back(item.get<std::string>());
    return out;
}

void read_stored_content(const ObjectReader& file, Campaign& campaign) {
    campaign.html = content_of(file, "html");
    const Json* const text = file.value("text");
    if (text != nullptr && text->is_string()) {
        campaign.text_source = TextSource::kAuto;
    } else if (text != nullptr) {
        campaign.text_source = TextSource::kGiven;
        campaign.text = content_of(file, "text");
    }
    const auto templates = file.object("template");
    if (!templates) return;
    constexpr MissingPolicy kPolicies[] = {MissingPolicy::kError, MissingPolicy::kEmpty,
                                           MissingPolicy::kKeep};
    campaign.missing =
        kPolicies[templates->choice("missing", {"error", "empty", "keep"}).value_or(0)];
    if (const auto partials = templates->object("partials"))
        for (const auto& [name, unused] : partials->json().items())
            campaign.partials.push_back({name, content_of(*partials, name)});
}

void read_stored_lists(const ObjectReader& file, Campaign& campaign) {
    if (const auto recipients = file.object("recipients")) {
        RecipientList& list = campaign.recipients;
        read_list_options(*recipients, list);
        list.file = recipients->text("file").value_or("");
        list.inline_rows = content_of(*recipients, "inline");
        list.gzip = recipients->boolean("gzip").value_or(false);
        list.format = recipients->choice("format", {"csv", "ndjson"}).value_or(0) == 0
                          ? ListFormat::kCsv
                          : ListFormat::kNdjson;
    }
    const auto exclude = file.object("exclude");
    if (!exclude) return;
    campaign.exclude.domains = strings_of(*exclude, "domains");
    campaign.exclude.addresses = strings_of(*exclude, "addresses");
    const Json* const lists = exclude->array("lists");
    if (lists == nullptr) return;
    for (const Json& item : *lists) {
        const ObjectReader list(file.reading(), item, "/exclude/lists");
        if (item.is_object())
            campaign.exclude.lists.push_back(
                {list.text("file").value_or(""), {}, list.text("sha256").value_or("")});
    }
}

void read_stored_variants(const ObjectReader& file, Campaign& campaign) {
    const Json* const variants = file.array("variants");
    if (variants == nullptr) return;
    for (std::size_t i = 0; i < variants->size(); ++i) {
        const ObjectReader object(file.reading(), (*variants)[i], "/variants/" + std::to_string(i));
        if (!(*variants)[i].is_object()) continue;
        Variant variant;
        read_variant(object, variant);
        variant.html = content_of(object, "html");
        const Json* const text = object.value("text");
        if (text != nullptr && text->is_string()) {
            variant.text_source = TextSource::kAuto;
        } else if (text != nullptr) {
            variant.text_source = TextSource::kGiven;
            variant.text = content_of(object, "text");
        }
        campaign.variants.push_back(std::move(variant));
    }
}

void read_stored_headers(const ObjectReader& file, Campaign& campaign) {
    const Json* const headers = file.array("headers");
    if (headers == nullptr) return;
    for (const Json& header : *headers)
        for (const auto& [name, value] : header.items())
            if (value.is_string()) campaign.headers.emplace_back(name, value.get<std::string>());
}

void read_stored_attachments(const ObjectReader& file, Campaign& campaign) {
    const Json* const list = file.array("attachments");
    if (list == nullptr) return;
    for (const Json& item : *list) {
        if (!item.is_object()) continue;
        const ObjectReader stored(file.reading(), item, "/attachments");
        campaign.attachments.push_back(
            {{stored.text("file").value_or(""), {}, stored.text("sha256").value_or("")},
             stored.text("name").value_or(""),
             stored.text("type").value_or(""),
             stored.text("cid").value_or(""),
             stored.choice("disposition", {"attachment", "inline"}).value_or(0) == 1});
    }
}

void read_stored_dkim(const ObjectReader& file, Campaign& campaign) {
    const Json* const signatures = file.array("dkim");
    if (signatures == nullptr) return;
    for (const Json& item : *signatures) {
        if (!item.is_object()) continue;
        const ObjectReader signature(file.reading(), item, "/dkim");
        campaign.dkim.push_back({signature.text("domain").value_or(""),
                                 signature.text("selector").value_or(""),
                                 signature.text("file").value_or("")});
    }
}

}  // namespace

Result<Campaign> load_normalised(std::string_view definition) {
    const LoadOptions options;
    CampaignReading reading(definition, options);
    const auto damaged = [&](const std::string& what) {
        return Error{ErrorKind::kCorrupt,
                     "the stored definition of a campaign is damaged: " + what};
    };
    if (const auto& fault = reading.positions().syntax_fault()) return damaged(fault->message);
    const Json json = Json::parse(definition, nullptr, false);
    if (!json.is_object()) return damaged("not an object");
    const ObjectReader file(reading, json, "");
    Campaign campaign;
    read_identity(file, "", campaign);
    read_sender(file, campaign);
    read_words(file, campaign);
    read_stored_content(file, campaign);
    read_vars(file, campaign);
    read_stored_lists(file, campaign);
    read_stored_headers(file, campaign);
    read_segment(file, campaign);
    read_stored_variants(file, campaign);
    read_schedule(file, campaign);
    read_throttle(file, campaign);
    read_retry(file, campaign);
    read_compliance(file, campaign);
    read_stored_dkim(file, campaign);
    read_labels(file, campaign);
    read_stored_attachments(file, campaign);
    const std::vector<CampaignError> errors = reading.take_errors();
    if (has_errors(errors)) return damaged(errors.front().path + ": " + errors.front().message);
    return campaign;
}

}  // namespace posthorn
