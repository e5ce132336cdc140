// Reports, states, traces and explanations, as a person reads them.
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/units.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/printer.h"
#include "tools/posthorn/report.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {

namespace {

using Align = TextTable::Align;

std::string decimal(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string count_text(const nlohmann::json& object, std::string_view key) {
    return with_separators(count_field(object, key));
}

// "rows 10,000: 3 invalid, 5 duplicate, 9,992 recipients"
std::string audience_text(const nlohmann::json& audience) {
    std::string text = count_text(audience, "rows") + " rows";
    for (const char* key : {"invalid", "duplicate", "suppressed", "excluded"})
        if (count_field(audience, key) > 0) text += ", " + count_text(audience, key) + " " + key;
    return text + ", " + count_text(audience, "recipients") + " recipients";
}

std::string outcome_table(const nlohmann::json& outcomes, std::uint64_t recipients) {
    TextTable table(
        {{"outcome", Align::kLeft}, {"recipients", Align::kRight}, {"share", Align::kRight}});
    for (const char* key : {"delivered", "bounced", "expired", "uncertain", "suppressed",
                            "cancelled", "deferred", "pending"}) {
        const std::uint64_t count = count_field(outcomes, key);
        const bool always =
            std::string_view(key) == "delivered" || std::string_view(key) == "bounced";
        if (count > 0 || always)
            table.row({key, with_separators(count), percent(count, recipients)});
    }
    return table.text();
}

std::string domain_table(const nlohmann::json& report) {
    const nlohmann::json& domains = array_field(report, "domains");
    if (domains.empty()) return "";
    TextTable table({{"domain", Align::kLeft},
                     {"recipients", Align::kRight},
                     {"delivered", Align::kRight},
                     {"bounced", Align::kRight},
                     {"deferred", Align::kRight}});
    for (const nlohmann::json& domain : domains) {
        if (table.rows() == kDomainsShown) break;
        table.row({text_field(domain, "domain"), count_text(domain, "recipients"),
                   count_text(domain, "delivered"), count_text(domain, "bounced"),
                   count_text(domain, "deferred")});
    }
    std::string text = "\n" + table.text();
    if (const std::uint64_t all = count_field(report, "domain_count"); all > table.rows())
        text += "… and " + with_separators(all - table.rows()) +
                " more domains: --json lists them all\n";
    return text;
}

// Variants, or the segment that was asked for.
std::string part_table(const nlohmann::json& parts, const char* key) {
    if (parts.empty()) return "";
    TextTable table({{key, Align::kLeft},
                     {"recipients", Align::kRight},
                     {"delivered", Align::kRight},
                     {"bounced", Align::kRight},
                     {"deferred", Align::kRight},
                     {"pending", Align::kRight}});
    for (const nlohmann::json& part : parts) {
        const nlohmann::json& outcomes = object_field(part, "outcomes");
        table.row({text_field(part, key), count_text(part, "recipients"),
                   count_text(outcomes, "delivered"), count_text(outcomes, "bounced"),
                   count_text(outcomes, "deferred"), count_text(outcomes, "pending")});
    }
    return "\n" + table.text();
}

std::string category_table(const nlohmann::json& categories) {
    TextTable table({{"why not delivered", Align::kLeft}, {"recipients", Align::kRight}});
    for (const auto& [category, count] : categories.items())
        if (count.is_number_integer() && count > 0)
            table.row({category, count_text(categories, category)});
    return table.rows() == 0 ? "" : "\n" + table.text();
}

std::string pace_text(const nlohmann::json& report) {
    const double elapsed = number_field(report, "elapsed_s");
    if (elapsed <= 0) return "";
    std::string text = "\n" + duration_words(elapsed) + ", " +
                       decimal(number_field(report, "messages_per_s")) + " messages/s";
    if (const std::uint64_t rss = count_field(report, "peak_rss_bytes"); rss > 0)
        text += ", " + with_separators(rss >> 20) + " MiB at most";
    if (const double cpu = number_field(report, "cpu_us_per_message"); cpu > 0)
        text += ", " + decimal(cpu) + " µs of CPU a message";
    return text + ", durability " + text_field(report, "durability") + "\n";
}

}  // namespace

std::string report_text(const nlohmann::json& report) {
    const nlohmann::json& audience = object_field(report, "audience");
    std::string text =
        printable(text_field(report, "campaign")) + ": " + printable(text_field(report, "state"));
    if (const std::string reason = text_field(report, "pause_reason"); !reason.empty())
        text += " (" + printable(reason) + ")";
    text += "\n" + audience_text(audience) + "\n\n" +
            outcome_table(object_field(report, "outcomes"), count_field(audience, "recipients"));
    text += category_table(object_field(report, "categories"));
    text += part_table(array_field(report, "variants"), "variant");
    if (report.contains("segment"))
        text += part_table(nlohmann::json::array({object_field(report, "segment")}), "segment");
    text += domain_table(report);
    text += "\n" + count_text(report, "attempts") + " attempts";
    if (count_field(report, "possible_duplicates") > 0)
        text += ", " + count_text(report, "possible_duplicates") +
                " recipients attempted again after an unclear end (possible duplicates)";
    return text + pace_text(report);
}

std::string hold_line(const nlohmann::json& hold, const std::string& where) {
    std::string text = "held: " + printable(where);
    if (const std::string source = text_field(hold, "source"); !source.empty())
        text += ", source " + printable(source);
    if (const std::string until = text_field(hold, "until"); !until.empty())
        text += ", until " + until;
    return text + "  " + printable(text_field(hold, "reason")) + "\n";
}

std::string status_text(const nlohmann::json& status) {
    std::string text;
    const nlohmann::json& campaigns = array_field(status, "campaigns");
    if (campaigns.empty()) text += "no campaigns\n";
    TextTable table({{"campaign", Align::kLeft},
                     {"state", Align::kLeft},
                     {"recipients", Align::kRight},
                     {"delivered", Align::kRight},
                     {"bounced", Align::kRight},
                     {"deferred", Align::kRight},
                     {"pending", Align::kRight},
                     {"in flight", Align::kRight}});
    for (const nlohmann::json& campaign : campaigns) {
        const nlohmann::json& outcomes = object_field(campaign, "outcomes");
        std::string state = text_field(campaign, "state");
        if (const std::string reason = text_field(campaign, "pause_reason"); !reason.empty())
            state += ": " + reason;
        table.row({text_field(campaign, "campaign"), state, count_text(campaign, "recipients"),
                   count_text(outcomes, "delivered"), count_text(outcomes, "bounced"),
                   count_text(outcomes, "deferred"), count_text(outcomes, "pending"),
                   count_text(campaign, "in_flight")});
    }
    if (table.rows() > 0) text += table.text();
    for (const nlohmann::json& hold : array_field(status, "holds"))
        text += hold_line(hold, text_field(hold, "domain"));
    if (!true_field(status, "delivering"))
        return text + "nothing is being delivered: no process owns the data directory\n";
    text += "\n" + count_text(status, "sessions") + " sessions to " + count_text(status, "sites") +
            " sites, " + count_text(status, "in_flight") + " recipients in flight\n";
    TextTable sites({{"site", Align::kLeft},
                     {"sessions", Align::kRight},
                     {"accepted", Align::kRight},
                     {"deferred", Align::kRight},
                     {"refused", Align::kRight},
                     {"remarks", Align::kLeft}});
    for (const nlohmann::json& site : array_field(status, "busiest")) {
        const std::string waits = text_field(site, "waits_for");
        sites.row({text_field(site, "site"), count_text(site, "sessions"),
                   count_text(site, "accepted"), count_text(site, "deferred"),
                   count_text(site, "refused"),
                   waits.empty() ? text_field(site, "last_failure") : "waits for " + waits});
    }
    if (sites.rows() > 0) text += sites.text();
    if (const std::string trouble = text_field(status, "trouble"); !trouble.empty())
        text += printable(trouble) + "\n";
    return text;
}

std::string trace_text(const nlohmann::json& trace) {
    std::string text = printable(text_field(trace, "email")) + "\n";
    const nlohmann::json& suppression = object_field(trace, "suppression");
    if (suppression.empty())
        text += "not suppressed\n";
    else
        text += "suppressed: " + printable(text_field(suppression, "reason")) + ", by " +
                printable(text_field(suppression, "source")) + ", since " +
                text_field(suppression, "since") + "\n";
    const nlohmann::json& campaigns = array_field(trace, "campaigns");
    if (campaigns.empty()) text += "in no campaign\n";
    for (const nlohmann::json& campaign : campaigns) {
        text += "\n" + printable(text_field(campaign, "campaign")) + ": " +
                text_field(campaign, "outcome") + ", " + count_text(campaign, "attempts") +
                " attempts\n";
        for (const nlohmann::json& attempt : array_field(campaign, "history")) {
            text += "  " + text_field(attempt, "time") + "  " + text_field(attempt, "stage") + "  ";
            if (const std::uint64_t code = count_field(attempt, "code"); code > 0)
                text += std::to_string(code) + " ";
            if (const std::string enhanced = text_field(attempt, "enhanced_code");
                !enhanced.empty())
                text += enhanced + " ";
            text += printable(text_field(attempt, "reply"));
            if (const std::string category = text_field(attempt, "category"); !category.empty())
                text += "  (" + category + ")";
            text += "  by " + printable(text_field(attempt, "mx_host")) + "\n";
        }
    }
    return text;
}

std::string explain_text(const nlohmann::json& explanation) {
    std::string text = printable(text_field(explanation, "domain")) + ": " +
                       printable(text_field(explanation, "verdict")) + "\n";
    for (const nlohmann::json& host : array_field(explanation, "hosts"))
        if (host.is_string()) text += "  MX " + printable(host.get<std::string>()) + "\n";
    const nlohmann::json& site = object_field(explanation, "site");
    if (!site.empty()) {
        text += "site " + printable(text_field(site, "site")) + ": " +
                count_text(site, "sessions") + " sessions of at most " +
                decimal(number_field(site, "sessions_limit")) + " per source, " +
                count_text(site, "messages_per_session") + " messages each; accepted " +
                count_text(site, "accepted") + ", deferred " + count_text(site, "deferred") +
                ", refused " + count_text(site, "refused") + "\n";
        if (const std::string rung = text_field(site, "rung"); !rung.empty())
            text += "  spoken to in " + printable(rung) + "\n";
        if (const std::string provider = text_field(site, "provider"); !provider.empty())
            text += "  by the shaping file, of each source: " + printable(provider) + "\n";
        if (const std::string waits = text_field(site, "waits_for"); !waits.empty())
            text += "  waits for " + printable(waits) + "\n";
        for (const nlohmann::json& pace : array_field(site, "paces"))
            text += "  pace of source " + printable(text_field(pace, "source")) + ": " +
                    decimal(number_field(pace, "recipients_per_s")) +
                    " recipients a second, learnt from its replies\n";
        for (const nlohmann::json& hold : array_field(site, "holds"))
            text += "  " + hold_line(hold, text_field(explanation, "domain"));
        if (const std::string failure = text_field(site, "last_failure"); !failure.empty())
            text += "  last failure: " + printable(failure) + "\n";
        for (const auto& [reply, count] : object_field(site, "replies").items())
            text += "  " + printable(reply) + ": " + json_line(count) + "\n";
    }
    for (const nlohmann::json& limit : array_field(explanation, "limits"))
        text += "limit " + printable(text_field(limit, "limit")) + " = " +
                printable(text_field(limit, "value")) + "  (" +
                printable(text_field(limit, "set_by")) + ")\n";
    return text;
}

}  // namespace posthorn
