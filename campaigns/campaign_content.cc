#include "campaigns/campaign_content.h"

#include <filesystem>

namespace posthorn {

namespace {

TemplateSource source_of(const Content& content) {
    return {content.bytes, std::filesystem::path(content.file).filename().string()};
}

}  // namespace

MessageContent message_content(const Campaign& campaign, std::vector<std::string> columns) {
    MessageContent out;
    out.campaign_id = campaign.id;
    out.kind = campaign.kind;
    out.from = campaign.from;
    out.reply_to = campaign.reply_to;
    out.return_path = campaign.return_path;
    out.to_name = campaign.to_name;
    out.subject.text = campaign.subject;
    out.preheader = campaign.preheader;
    if (campaign.html.present()) out.html = source_of(campaign.html);
    if (campaign.text_source == TextSource::kGiven && campaign.text.present())
        out.text = source_of(campaign.text);
    out.text_auto = campaign.text_source == TextSource::kAuto;
    out.headers = campaign.headers;
    out.list_id = campaign.compliance.list_id;
    out.tags = campaign.tags;
    out.physical_address = campaign.compliance.physical_address;
    out.unsubscribe = campaign.compliance.unsubscribe;
    out.footer = campaign.compliance.footer;
    out.columns = std::move(columns);
    out.vars = campaign.vars;
    for (const Partial& partial : campaign.partials)
        out.partials.push_back(
            {partial.name, partial.content.bytes, source_of(partial.content).file});
    for (const Attachment& attachment : campaign.attachments)
        out.attachments.push_back({attachment.name, attachment.media_type, attachment.cid,
                                   attachment.is_inline, attachment.content.bytes});
    out.missing = campaign.missing;
    return out;
}

}  // namespace posthorn
