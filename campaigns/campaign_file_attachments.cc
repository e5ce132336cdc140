// The files that go along with every message.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_hash.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

std::optional<Content> read_attached_file(const ObjectReader& object) {
    CampaignReading& reading = object.reading();
    const std::string path = object.path_of("path");
    const auto written = object.text("path");
    if (!written) {
        if (object.value("path") == nullptr)
            reading.error(CampaignErrorCode::kRequired, object.path(), "`path` is missing here",
                          "name the file: {\"path\": \"terms.pdf\"}");
        return std::nullopt;
    }
    const auto file =
        resolve_file(reading, path, *written, false, CampaignErrorCode::kAttachmentMissing);
    if (!file) return std::nullopt;
    std::optional<std::string> bytes = read_at_most(*file, kAttachmentBytesMax);
    if (!bytes) {
        reading.error(CampaignErrorCode::kAttachmentMissing, path,
                      in_quotes(*written) + " cannot be read");
        return std::nullopt;
    }
    if (bytes->size() > kAttachmentBytesMax) {
        reading.error(CampaignErrorCode::kMessageTooBig, path,
                      in_quotes(*written) + " is larger than 10 MiB",
                      "put it on a web page and link to it");
        return std::nullopt;
    }
    std::string hash = sha256_hex(*bytes);
    return Content{*file, std::move(*bytes), std::move(hash)};
}

// The name for recipients: given, or the file's own.
void read_shown_name(const ObjectReader& object, Attachment& attachment) {
    attachment.name = std::filesystem::path(attachment.content.file).filename().string();
    const auto given = object.line("name");
    if (!given) return;
    if (given->empty() || given->size() > 255 || given->find_first_of("/\\") != std::string::npos)
        object.reading().error(CampaignErrorCode::kRange, object.path_of("name"),
                               in_quotes(*given) + " is not the name of a file",
                               "use a name like terms.pdf, without directories");
    else
        attachment.name = *given;
}

void read_content_id(const ObjectReader& object, Campaign& campaign, Attachment& attachment) {
    const auto cid = object.text("cid");
    if (!cid) return;
    CampaignReading& reading = object.reading();
    const bool known = std::any_of(campaign.attachments.begin(), campaign.attachments.end(),
                                   [&](const Attachment& other) { return other.cid == *cid; });
    if (!is_content_id(*cid))
        reading.error(CampaignErrorCode::kRange, object.path_of("cid"),
                      in_quotes(*cid) + " is not a content id",
                      "letters, digits and . _ - @ +; the HTML says src=\"cid:logo\"");
    else if (known)
        reading.error(CampaignErrorCode::kConflict, object.path_of("cid"),
                      "two attachments have the cid " + in_quotes(*cid));
    else
        attachment.cid = *cid;
}

void read_attachment(const ObjectReader& object, Campaign& campaign) {
    Attachment attachment;
    auto content = read_attached_file(object);
    if (content) attachment.content = *std::move(content);
    read_shown_name(object, attachment);
    read_content_id(object, campaign, attachment);
    attachment.media_type = media_type_of(attachment.name);
    if (const auto type = object.text("type")) {
        attachment.media_type = *type;
        if (!is_media_type(*type))
            object.reading().error(CampaignErrorCode::kRange, object.path_of("type"),
                                   in_quotes(*type) + " is not the media type of a file",
                                   "use a type like image/png or application/pdf");
    }
    const auto disposition = object.choice("disposition", {"attachment", "inline"});
    attachment.is_inline = disposition ? *disposition == 1 : object.value("cid") != nullptr;
    campaign.attachments.push_back(std::move(attachment));
}

}  // namespace

void read_attachments(const ObjectReader& file, Campaign& campaign) {
    const Json* const list = file.array("attachments");
    if (list == nullptr) return;
    CampaignReading& reading = file.reading();
    if (list->size() > kMaxAttachments) {
        reading.error(CampaignErrorCode::kRange, "/attachments", "over 50 attachments");
        return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string path = "/attachments/" + std::to_string(i);
        if ((*list)[i].is_object())
            read_attachment(ObjectReader(reading, (*list)[i], path), campaign);
        else
            reading.error(
                CampaignErrorCode::kType, path, "an attachment is an object with a `path`",
                (*list)[i].is_string() ? "use {\"path\": " + (*list)[i].dump() + "}" : "");
    }
}

}  // namespace posthorn
