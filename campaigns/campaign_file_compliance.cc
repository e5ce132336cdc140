// What law and large providers ask of bulk mail (CAN-SPAM, RFC 2369, RFC 8058), and what concerns
// several keys at once.
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"

namespace posthorn {

namespace {

// A fault for marketing, advice for transactional mail.
void note(const ObjectReader& file, const Campaign& campaign, CampaignErrorCode code,
          const std::string& path, std::string message, std::string hint) {
    if (campaign.kind == CampaignKind::kMarketing)
        file.reading().error(code, path, std::move(message), std::move(hint));
    else
        file.reading().warning(code, path, std::move(message), std::move(hint));
}

void check_url(const ObjectReader& file, const Campaign& campaign) {
    const std::string& url = campaign.compliance.unsubscribe.url;
    const std::string path = "/compliance/unsubscribe/url";
    if (!url.starts_with("https://") || url.size() <= 8)
        note(file, campaign, CampaignErrorCode::kComplianceUnsubscribe, path,
             in_quotes(url) + " is not an https address",
             "one-click unsubscribing (RFC 8058) works over https only");
    else if (url.find_first_of(" \t<>\"") != std::string::npos && url.find("{{") == url.npos)
        note(file, campaign, CampaignErrorCode::kComplianceUnsubscribe, path,
             in_quotes(url) + " holds characters that no URL has", "percent-encode them");
    else if (url.find("{{") == std::string::npos)
        file.reading().warning(CampaignErrorCode::kComplianceUnsubscribe, path,
                               "the address is the same for every recipient: nobody can tell who "
                               "unsubscribes",
                               "add {{unsubscribe_token}} to it");
}

void check_opt_out(const ObjectReader& file, const Campaign& campaign) {
    const Unsubscribe& out = campaign.compliance.unsubscribe;
    const bool written = file.value("compliance") != nullptr;
    // A faulty one was noted where it was read.
    const auto compliance = written ? file.object("compliance") : std::nullopt;
    const auto object = compliance && compliance->value("unsubscribe") != nullptr
                            ? compliance->object("unsubscribe")
                            : std::nullopt;
    const bool given = object && (object->value("url") || object->value("mailto"));
    if (!given)
        note(file, campaign, CampaignErrorCode::kComplianceUnsubscribe,
             object ? "/compliance/unsubscribe" : "/compliance",
             campaign.kind == CampaignKind::kMarketing
                 ? "a marketing campaign needs a way to unsubscribe"
                 : "recipients have no way to unsubscribe",
             "add \"unsubscribe\": {\"url\": \"https://…/{{unsubscribe_token}}\"} or a `mailto`");
    if (!out.url.empty()) check_url(file, campaign);
    const auto* const one_click = object ? object->value("one_click") : nullptr;
    if (one_click != nullptr && *one_click == true && object->value("url") == nullptr)
        file.reading().error(CampaignErrorCode::kConflict, "/compliance/unsubscribe/one_click",
                             "`one_click` needs a `url`", "add `url`, or leave `one_click` out");
}

void check_throttle(const ObjectReader& file, const Campaign& campaign) {
    const Throttle& throttle = campaign.throttle;
    const auto per_second = [](const Rate& rate) {
        return static_cast<double>(rate.count) / static_cast<double>(rate.window.count());
    };
    for (const auto& [domain, limit] : throttle.per_domain) {
        const std::string path = "/throttle/per_domain/" + domain;
        if (limit.rate && throttle.all.rate &&
            per_second(*limit.rate) > per_second(*throttle.all.rate))
            file.reading().warning(CampaignErrorCode::kConflict, path + "/rate",
                                   "the domain's rate is above the campaign's",
                                   "the campaign's rate holds");
        if (limit.connections_max && throttle.all.connections_max &&
            *limit.connections_max > *throttle.all.connections_max)
            file.reading().warning(CampaignErrorCode::kConflict, path + "/max_connections",
                                   "the domain may open more connections than the campaign",
                                   "the campaign's limit holds");
    }
    if (!campaign.retry.schedule.empty() &&
        campaign.retry.schedule.front() > campaign.retry.age_max)
        file.reading().warning(CampaignErrorCode::kConflict, "/retry",
                               "the first retry comes after `max_age`",
                               "nothing is tried a second time");
}

}  // namespace

void read_compliance(const ObjectReader& file, Campaign& campaign) {
    Compliance& out = campaign.compliance;
    if (const auto compliance = file.object("compliance")) {
        out.physical_address = compliance->text("physical_address").value_or("");
        out.list_id = compliance->line("list_id").value_or("");
        constexpr FooterPolicy kPolicies[] = {FooterPolicy::kAuto, FooterPolicy::kRequire,
                                              FooterPolicy::kOff};
        out.footer =
            kPolicies[compliance->choice("footer", {"auto", "require", "off"}).value_or(0)];
        if (const auto unsubscribe = compliance->object("unsubscribe")) {
            out.unsubscribe.url = unsubscribe->line("url").value_or("");
            out.unsubscribe.one_click = unsubscribe->boolean("one_click").value_or(true);
            std::string mailto = unsubscribe->text("mailto").value_or("");
            if (mailto.starts_with("mailto:")) mailto.erase(0, 7);
            Address address;
            if (unsubscribe->value("mailto") != nullptr) {
                const AddressFault fault = parse_address(mailto, address);
                if (fault == AddressFault::kNone)
                    out.unsubscribe.mailto = address.to_string();
                else if (unsubscribe->value("mailto")->is_string())
                    file.reading().error(
                        has_controls(mailto) ? CampaignErrorCode::kHeaderInjection
                                             : CampaignErrorCode::kBadAddress,
                        unsubscribe->path_of("mailto"),
                        in_quotes(mailto) + " is not an address: " + std::string(reason(fault)),
                        "use unsubscribe@example.com");
            }
        }
        if (compliance->value("list_id") != nullptr && !out.list_id.empty()) {
            std::string domain;
            if (parse_domain(out.list_id, domain) != AddressFault::kNone)
                file.reading().error(CampaignErrorCode::kRange, "/compliance/list_id",
                                     in_quotes(out.list_id) + " is not a list's name",
                                     "use a name like news.example.com (RFC 2919)");
        }
    }
    const bool marketing = campaign.kind == CampaignKind::kMarketing;
    if (marketing && out.list_id.empty() && !campaign.from.domain.empty())
        out.list_id = campaign.id + "." + campaign.from.domain;
}

void check_campaign(const ObjectReader& file, const Campaign& campaign) {
    const Compliance& compliance = campaign.compliance;
    if (compliance.physical_address.find_first_not_of(" \t\r\n") == std::string::npos)
        note(file, campaign, CampaignErrorCode::kComplianceAddress, "/compliance/physical_address",
             campaign.kind == CampaignKind::kMarketing
                 ? "a marketing campaign needs the sender's postal address"
                 : "the message shows no postal address",
             "add \"physical_address\" (CAN-SPAM, 16 CFR 316)");
    check_opt_out(file, campaign);
    check_throttle(file, campaign);
    if (!campaign.return_path && file.value("return_path") == nullptr &&
        !file.reading().options.has_bounce_domain)
        file.reading().warning(CampaignErrorCode::kReturnPathMissing, "",
                               "bounces that come later will go to the From address",
                               "set `bounce_domain` in posthorn.json, or `return_path` here");
}

}  // namespace posthorn
