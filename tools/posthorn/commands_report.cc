// status and report: what is going on, and what became of a campaign.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/delivery/site_holds.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/part_figures.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/report.h"
#include "tools/posthorn/stored_campaigns.h"
#include "tools/posthorn/stored_figures.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

std::uint64_t count_of(const Figures& figures, OutcomeState state) {
    return figures.by_state[static_cast<std::size_t>(state)];
}

ordered_json categories_json(const Figures& figures) {
    ordered_json categories = ordered_json::object();
    for (std::size_t i = 0; i < figures.by_category.size(); ++i)
        if (const auto category = static_cast<Category>(i);
            category != Category::kNone && figures.by_category[i] > 0)
            categories[std::string(name_of(category))] = figures.by_category[i];
    return categories;
}

double per(double amount, double each) { return each > 0 ? amount / each : 0; }

}  // namespace

Result<CampaignReport> campaign_report(const CommandContext& context,
                                       const CampaignRecord& campaign, std::size_t domains_max) {
    auto figures = read_figures(context.store, campaign.number, domains_max);
    if (!figures) return figures.error();
    const auto usage = stored_usage(context.store, campaign.id);
    if (!usage) return usage.error();
    const Figures& total = figures->total;
    const auto delivered = static_cast<double>(count_of(total, OutcomeState::kDelivered));
    const double elapsed_s =
        (usage->elapsed_us > 0 ? static_cast<double>(usage->elapsed_us)
                               : static_cast<double>(campaign.active.count())) /
        1e6;
    auto summary = std::make_unique<ordered_json>();
    ordered_json& report = *summary;
    report["campaign"] = campaign.id;
    report["state"] = name_of(campaign.state);
    if (!campaign.pause_reason.empty()) report["pause_reason"] = campaign.pause_reason;
    report["created"] = time_json(campaign.created);
    report["started"] = time_json(campaign.started);
    report["finished"] = time_json(campaign.finished);
    report["audience"] = audience_json(campaign.audience);
    report["outcomes"] = outcomes_json(total, campaign.audience.recipients);
    report["possible_duplicates"] = total.possible_duplicates;
    report["attempts"] = total.attempts;
    report["categories"] = categories_json(total);
    report["domain_count"] = figures->domain_count;
    const auto variants = figures_by_variant(context.store, campaign);
    if (!variants) return variants.error();
    for (const PartFigures& variant : *variants)
        report["variants"].push_back(part_json("variant", variant));
    report["elapsed_s"] = elapsed_s;
    report["messages_per_s"] = per(delivered, elapsed_s);
    report["peak_rss_bytes"] = usage->peak_rss_bytes;
    report["durability"] = name_of(context.store.durability());
    report["cpu_us_per_message"] = per(static_cast<double>(usage->cpu_us), delivered);
    return CampaignReport{std::move(summary), std::move(figures->domains)};
}

CommandResult show_report(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink) {
    const auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    auto report = campaign_report(context, *campaign, domains_asked_for(request));
    if (!report) return failed(report.error());
    if (const std::string text = text_field(request, "segment"); !text.empty()) {
        const auto part = figures_of_segment(context.store, *campaign, text, context.now());
        if (!part) return failed(part.error());
        (*report->summary)["segment"] = part_json("segment", *part);
    }
    put_report(sink, *report);
    return {};
}

namespace {

ordered_json campaign_status(const CampaignRecord& campaign, const Figures& figures,
                             std::uint64_t in_flight) {
    ordered_json json;
    json["campaign"] = campaign.id;
    json["state"] = name_of(campaign.state);
    json["pause_reason"] = campaign.pause_reason;
    json["recipients"] = campaign.audience.recipients;
    json["outcomes"] = outcomes_json(figures, campaign.audience.recipients);
    json["attempts"] = figures.attempts;
    json["in_flight"] = in_flight;
    json["created"] = time_json(campaign.created);
    json["started"] = time_json(campaign.started);
    json["finished"] = time_json(campaign.finished);
    return json;
}

Result<ordered_json> campaigns_json(const CommandContext& context, const RuntimeView* view,
                                    const std::string& only) {
    const auto stored = CampaignCatalog(context.store).list();
    if (!stored) return stored.error();
    ordered_json json = ordered_json::array();
    for (const CampaignRecord& campaign : *stored) {
        if (!only.empty() && campaign.id != only) continue;
        const CampaignView* live = nullptr;
        for (std::size_t i = 0; view != nullptr && i < view->campaigns.size(); ++i)
            if (view->campaigns[i].record.number == campaign.number) live = &view->campaigns[i];
        if (live != nullptr) {
            json.push_back(campaign_status(live->record, live->figures, live->in_flight));
            if (live->waits_until) json.back()["waits_until"] = time_json(*live->waits_until);
            continue;
        }
        const auto figures = read_figures(context.store, campaign.number, 0);
        if (!figures) return figures.error();
        json.push_back(campaign_status(campaign, figures->total, 0));
    }
    return json;
}

Result<ordered_json> holds_json(const Store& store) {
    ordered_json json = ordered_json::array();
    const std::string prefix = state_prefix("hold");
    const auto cursor = store.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        json.push_back({{"domain", std::string(cursor->key().substr(prefix.size()))},
                        {"reason", std::string(cursor->value())}});
    RETURN_IF_ERROR(cursor->status());
    RETURN_IF_ERROR(for_each_site_hold(store, [&](const StoredSiteHold& hold) {
        json.push_back({{"domain", hold.domain},
                        {"reason", hold.reason},
                        {"site", hold.site},
                        {"source", hold.source},
                        {"since", time_json(hold.since)}});
        if (hold.until) json.back()["until"] = time_json(*hold.until);
    }));
    return json;
}

void put_live(ordered_json& json, const RuntimeView& view) {
    const StatusView& status = view.status;
    json["sessions"] = status.sessions;
    json["opening"] = status.opening;
    json["in_flight"] = status.in_flight;
    json["rows_ahead"] = status.rows_ahead;
    json["lanes_open"] = status.lanes_open;
    json["lanes_parked"] = status.lanes_parked;
    json["sites"] = status.sites;
    json["trouble"] = view.trouble;
    json["busiest"] = ordered_json::array();
    for (const SiteView& site : status.busiest)
        json["busiest"].push_back({{"site", site.name},
                                   {"sessions", site.sessions},
                                   {"in_flight", site.in_flight},
                                   {"accepted", site.accepted},
                                   {"deferred", site.deferred},
                                   {"refused", site.refused},
                                   {"waits_for", site.waits_for},
                                   {"last_failure", site.last_failure}});
}

}  // namespace

CommandResult show_status(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink) {
    const std::string id = text_field(request, "campaign");
    if (!id.empty())
        if (const auto found = find_campaign(context.store, id); !found)
            return failed(found.error());
    const auto view = context.views == nullptr ? nullptr : context.views->latest();
    auto campaigns = campaigns_json(context, view.get(), id);
    if (!campaigns) return failed(campaigns.error());
    auto holds = holds_json(context.store);
    if (!holds) return failed(holds.error());
    ordered_json json;
    json["delivering"] = view != nullptr;
    json["campaigns"] = std::move(campaigns).value();
    json["holds"] = std::move(holds).value();
    if (view != nullptr) put_live(json, *view);
    sink.line(json_line(json));
    return {};
}

}  // namespace posthorn
