#include "campaigns/campaign_file.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_keys.h"
#include "campaigns/campaign_file_reader.h"
#include "campaigns/campaign_file_sections.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

LoadedCampaign unreadable(std::string message, std::string hint) {
    LoadedCampaign loaded;
    CampaignError error;
    error.code = CampaignErrorCode::kFileMissing;
    error.message = std::move(message);
    error.hint = std::move(hint);
    loaded.errors.push_back(std::move(error));
    return loaded;
}

void read_sections(const ObjectReader& file, std::string_view default_id, Campaign& campaign) {
    read_identity(file, default_id, campaign);
    read_sender(file, campaign);
    read_words(file, campaign);
    read_content(file, campaign);
    read_vars(file, campaign);
    read_recipients(file, campaign);
    read_segment(file, campaign);
    read_exclude(file, campaign);
    read_variants(file, campaign);
    read_schedule(file, campaign);
    read_headers(file, campaign);
    read_throttle(file, campaign);
    read_retry(file, campaign);
    read_compliance(file, campaign);
    read_dkim(file, campaign);
    read_labels(file, campaign);
    read_attachments(file, campaign);
    check_campaign(file, campaign);
}

}  // namespace

LoadedCampaign load_campaign(const std::string& path, const LoadOptions& options) {
    namespace fs = std::filesystem;
    std::error_code failure;
    const fs::path file = fs::canonical(path, failure);
    if (failure || !fs::is_regular_file(file, failure))
        return unreadable("the campaign file " + in_quotes(path) + " cannot be found",
                          "name a campaign file: posthorn send campaign.json");
    const std::optional<std::string> text = read_at_most(file.string(), kMaxJsonBytes);
    if (!text) return unreadable("the campaign file " + in_quotes(path) + " cannot be read", "");
    return read_campaign(*text, file.parent_path().string(), fs::path(path).stem().string(),
                         options);
}

LoadedCampaign read_campaign(std::string_view text, const std::string& directory,
                             std::string_view default_id, const LoadOptions& options) {
    LoadedCampaign loaded;
    CampaignReading reading(text, options);
    std::error_code failure;
    const auto canonical = std::filesystem::canonical(directory, failure);
    reading.directory = failure ? directory : canonical.string();
    if (const auto& fault = reading.positions().syntax_fault()) {
        reading.fault_of_syntax(CampaignErrorCode::kJsonSyntax, *fault);
    } else if (const Json json = Json::parse(text, nullptr, false, true); json.is_discarded()) {
        reading.error(CampaignErrorCode::kJsonSyntax, "", "the file is not JSON");
    } else if (!json.is_object()) {
        reading.error(CampaignErrorCode::kType, "", "a campaign file holds one object",
                      "start it with { and end it with }");
    } else {
        for (const JsonFault& fault : reading.positions().duplicate_keys())
            reading.fault_of_syntax(CampaignErrorCode::kConflict, fault);
        check_known_keys(reading, json);
        read_sections(ObjectReader(reading, json, ""), default_id, loaded.campaign);
    }
    loaded.errors = reading.take_errors();
    return loaded;
}

}  // namespace posthorn
