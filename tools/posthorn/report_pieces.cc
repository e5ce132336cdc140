// A report in pieces: lines over the control socket are bounded, domains are not.
#include <fmt/format.h>

#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/report.h"

namespace posthorn {

namespace {

constexpr std::size_t kDomainsPerLine = 2000;  // at most some 700 KB

constexpr std::string_view kReportBegin = R"({"report":)";
constexpr std::string_view kDomainsBegin = R"({"domains":[)";
constexpr std::string_view kDomainsEnd = "]}";
constexpr std::string_view kReportEnd = R"({"report_end":true})";

void append_domain(std::string& line, const DomainFigures& domain) {
    fmt::format_to(std::back_inserter(line),
                   R"({{"domain":{},"recipients":{},"delivered":{},"bounced":{},"deferred":{}}})",
                   json_line(nlohmann::json(domain.domain)), domain.recipients, domain.delivered,
                   domain.bounced, domain.deferred);
}

}  // namespace

std::size_t domains_asked_for(const nlohmann::json& request) {
    return request.contains("domains") ? count_field(request, "domains")
                                       : std::numeric_limits<std::size_t>::max();
}

bool put_report(LineSink& sink, const CampaignReport& report) {
    if (!sink.line(fmt::format("{}{}}}", kReportBegin, json_line(*report.summary)))) return false;
    std::string line;
    for (std::size_t at = 0; at < report.domains.size();) {
        line = kDomainsBegin;
        for (std::size_t in_line = 0; in_line < kDomainsPerLine && at < report.domains.size();
             ++in_line, ++at) {
            if (in_line > 0) line += ',';
            append_domain(line, report.domains[at]);
        }
        line += kDomainsEnd;
        if (!sink.line(line)) return false;
    }
    return sink.line(kReportEnd);
}

std::string ReportPieces::take(std::string_view line) {
    if (state_ == State::kNothing && line.starts_with(kReportBegin)) {
        line.remove_prefix(kReportBegin.size());
        if (!line.ends_with("}}")) return "";
        state_ = State::kSummary;
        return fmt::format(R"({},"domains":[)", line.substr(0, line.size() - 2));
    }
    if (state_ == State::kNothing || state_ == State::kComplete) return "";
    if (line == kReportEnd) {
        state_ = State::kComplete;
        return "]}";
    }
    if (!line.starts_with(kDomainsBegin) || !line.ends_with(kDomainsEnd)) return "";
    line.remove_prefix(kDomainsBegin.size());
    line.remove_suffix(kDomainsEnd.size());
    std::string piece = state_ == State::kDomains ? "," : "";
    state_ = State::kDomains;
    return piece.append(line);
}

}  // namespace posthorn
