// hold, release, flush and explain: what an operator says to, and asks of, one recipient domain.
#include <nlohmann/json.hpp>

#include "engine/base/units.h"
#include "engine/delivery/site_holds.h"
#include "engine/mail/address.h"
#include "engine/queue/keys.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/posted.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

// State family, kind "hold", key: the domain, value: the reason. The scheduler reads it at start.
constexpr std::string_view kHoldKind = "hold";

Result<std::string> domain_of(const nlohmann::json& request) {
    const std::string text = text_field(request, "domain");
    std::string domain;
    if (const auto fault = parse_domain(text, domain); fault != AddressFault::kNone)
        return Error{ErrorKind::kInvalid,
                     "'" + text + "' is not a domain: " + std::string(reason(fault))};
    return domain;
}

CommandResult say(LineSink& sink, const std::string& domain, const std::string& message) {
    sink.line(json_line(ordered_json{{"domain", domain}, {"message", message}}));
    return {};
}

ordered_json holds_json(const std::vector<SiteHoldView>& holds) {
    ordered_json json = ordered_json::array();
    for (const SiteHoldView& hold : holds) {
        json.push_back({{"source", hold.source}, {"reason", hold.reason}});
        json.back()["since"] = rfc3339(hold.since);
        if (hold.until) json.back()["until"] = rfc3339(*hold.until);
    }
    return json;
}

ordered_json paces_json(const std::vector<std::pair<std::string, double>>& paces) {
    ordered_json json = ordered_json::array();
    for (const auto& [source, rate] : paces)
        json.push_back({{"source", source}, {"recipients_per_s", rate}});
    return json;
}

ordered_json site_json(const SiteView& site) {
    return {{"site", site.name},
            {"sessions", site.sessions},
            {"opening", site.opening},
            {"in_flight", site.in_flight},
            {"rows_waiting", site.rows_waiting},
            {"accepted", site.accepted},
            {"deferred", site.deferred},
            {"refused", site.refused},
            {"sessions_limit", site.sessions_limit},
            {"messages_per_session", site.messages_per_session},
            {"rung", site.rung},
            {"provider", site.provider},
            {"waits_for", site.waits_for},
            {"holds", holds_json(site.holds)},
            {"paces", paces_json(site.paces)},
            {"last_failure", site.last_failure},
            {"replies", site.replies}};
}

ordered_json limit_json(std::string limit, std::string value, std::string set_by) {
    return {
        {"limit", std::move(limit)}, {"value", std::move(value)}, {"set_by", std::move(set_by)}};
}

// The limits that hold for every site, and what running campaigns add for this domain.
ordered_json limits_json(const CommandContext& context,
                         const std::vector<std::pair<std::string, ThrottleLimit>>& throttles) {
    const DeliveryLimits& limits = context.config.limits;
    ordered_json all = ordered_json::array();
    all.push_back(limit_json("connections per source and site",
                             std::to_string(limits.site_connections_max) + ", starting at " +
                                 std::to_string(limits.site_connections_start),
                             "limits of posthorn.json, or default"));
    all.push_back(limit_json("messages per connection",
                             std::to_string(limits.messages_per_session_max),
                             "limits of posthorn.json, or default"));
    all.push_back(limit_json("connections in all", std::to_string(limits.connections_max),
                             "connections of posthorn.json, or default"));
    for (const auto& [name, limit] : throttles) {
        if (limit.rate) all.push_back(limit_json("rate", to_string(*limit.rate), name));
        if (limit.connections_max)
            all.push_back(limit_json("connections", std::to_string(*limit.connections_max), name));
    }
    return all;
}

}  // namespace

CommandResult hold_domain(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink) {
    const auto domain = domain_of(request);
    if (!domain) return failed(domain.error());
    std::string why = text_field(request, "reason");
    if (why.empty()) why = "operator";
    Status held;
    if (context.runtime != nullptr) {
        held = post_and_wait(context, [&](Scheduler& scheduler, Now) {
            scheduler.hold_domain(*domain, why);
            return Status();
        });
    } else {
        WriteBatch batch;
        batch.put(Family::kState, state_key(kHoldKind, *domain), why);
        held = context.store.write(batch);
    }
    if (!held) return failed(held.error());
    return say(sink, *domain, *domain + " is held: nothing is sent to it until posthorn release");
}

namespace {

// The names of the brakes that hold the domain; its own, whether there is a brake or not.
Result<std::vector<std::string>> names_of_brakes(const CommandContext& context,
                                                 const std::string& domain) {
    std::string site;
    if (context.runtime != nullptr) {
        const Status asked = post_and_wait(context, [&](Scheduler& scheduler, Now now) {
            if (const auto view = scheduler.explain(domain, now)) site = view->site.name;
            return Status();
        });
        if (!asked) return asked.error();
    }
    std::vector<std::string> names = {domain};
    const Status walked = for_each_site_hold(context.store, [&](const StoredSiteHold& hold) {
        if (hold.braked && hold.site == site && hold.domain != domain) names.push_back(hold.domain);
    });
    if (!walked) return walked.error();
    return names;
}

// Without a process that delivers: what it would read at its start.
Status release_in_store(Store& store, const std::string& domain) {
    WriteBatch batch;
    batch.erase(Family::kState, state_key(kHoldKind, domain));
    RETURN_IF_ERROR(for_each_site_hold(store, [&](const StoredSiteHold& hold) {
        if (hold.domain == domain)
            batch.erase(Family::kState,
                        state_key(kSiteHoldKind, hold.site + std::string(1, '\0') + hold.source));
    }));
    return store.write(batch);
}

}  // namespace

CommandResult release_domain(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    const auto domain = domain_of(request);
    if (!domain) return failed(domain.error());
    const auto names = names_of_brakes(context, *domain);
    if (!names) return failed(names.error());
    const Status released = context.runtime == nullptr
                                ? release_in_store(context.store, *domain)
                                : post_and_wait(context, [&](Scheduler& scheduler, Now now) {
                                      scheduler.release_domain(*domain, now);
                                      return Status();
                                  });
    if (!released) return failed(released.error());
    std::string message = *domain + " is released";
    const std::string fate = text_field(request, "suppressions");
    std::uint64_t changed = 0;
    for (const std::string& name : *names) {
        if (fate.empty()) break;
        Suppressions list(context.store);
        const Suppressions::Selection doubted{std::string(kBrakeSource) + name, std::nullopt};
        const auto count =
            fate == "undo" ? list.remove(doubted) : list.set_quarantined(doubted, false);
        if (!count) return failed(count.error());
        changed += *count;
    }
    if (!fate.empty())
        message += "; " + with_separators(changed) + " suppressions are " +
                   (fate == "undo" ? "taken back" : "in force");
    return say(sink, *domain, message);
}

CommandResult flush_domain(const CommandContext& context, const nlohmann::json& request,
                           LineSink& sink) {
    const auto domain = domain_of(request);
    if (!domain) return failed(domain.error());
    if (context.runtime == nullptr)
        return failed(
            {ErrorKind::kConflict,
             "nothing is being delivered: start posthorn serve, or send, and flush then"});
    const Status flushed = post_and_wait(context, [&](Scheduler& scheduler, Now now) {
        scheduler.flush_domain(*domain, now);
        return Status();
    });
    if (!flushed) return failed(flushed.error());
    return say(sink, *domain, "deferred recipients of " + *domain + " are tried now");
}

CommandResult explain_domain(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    const auto domain = domain_of(request);
    if (!domain) return failed(domain.error());
    std::optional<DomainView> view;
    std::vector<std::pair<std::string, ThrottleLimit>> throttles;
    if (context.runtime != nullptr) {
        const auto pictures = context.views->latest();
        const Status asked = post_and_wait(context, [&](Scheduler& scheduler, Now now) {
            view = scheduler.explain(*domain, now);
            if (pictures == nullptr) return Status();
            for (const CampaignView& campaign : pictures->campaigns) {
                const CampaignRun* run = scheduler.campaign(campaign.record.number);
                if (run == nullptr) continue;
                const Throttle& throttle = run->plan.throttle;
                const std::string& id = campaign.record.id;
                throttles.emplace_back("throttle of campaign " + id, throttle.all);
                if (const auto at = throttle.per_domain.find(*domain);
                    at != throttle.per_domain.end())
                    throttles.emplace_back("throttle.per_domain of campaign " + id, at->second);
            }
            return Status();
        });
        if (!asked) return failed(asked.error());
    }
    const auto hold = context.store.get(Family::kState, state_key(kHoldKind, *domain));
    if (!hold) return failed(hold.error());

    ordered_json answer;
    answer["domain"] = *domain;
    if (view)
        answer["verdict"] = view->verdict;
    else if (*hold)
        answer["verdict"] = "held: " + **hold;
    else
        answer["verdict"] = context.runtime == nullptr ? "nothing is being delivered"
                                                       : "no campaign has work for it now";
    answer["held"] = hold->has_value();
    answer["hosts"] = view ? view->hosts : std::vector<std::string>();
    if (view && !view->site.name.empty()) answer["site"] = site_json(view->site);
    answer["limits"] = limits_json(context, throttles);
    sink.line(json_line(answer));
    return {};
}

}  // namespace posthorn
