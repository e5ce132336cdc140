// A report in pieces: lines over the control socket are bounded, domains are not.
#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/report.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t kDomainsPerLine = 2000;  // at most some 700 KB

}  // namespace

bool put_report(LineSink& sink, ordered_json report) {
    const ordered_json domains = std::exchange(report["domains"], ordered_json::array());
    for (std::size_t at = 0; at < domains.size(); at += kDomainsPerLine) {
        const auto begin = domains.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(kDomainsPerLine, domains.size() - at);
        const ordered_json::array_t piece(begin, begin + static_cast<std::ptrdiff_t>(count));
        if (!sink.line(json_line(ordered_json{{"domains", piece}}))) return false;
    }
    return sink.line(json_line(ordered_json{{"report", std::move(report)}}));
}

ReportPieces::ReportPieces() : domains_(std::make_unique<ordered_json>(ordered_json::array())) {}
ReportPieces::~ReportPieces() = default;

std::string ReportPieces::take(const ordered_json& line) {
    if (const auto domains = line.find("domains"); domains != line.end() && domains->is_array())
        for (const ordered_json& domain : *domains) domains_->push_back(domain);
    const auto found = line.find("report");
    if (found == line.end() || !found->is_object()) return "";
    ordered_json report = *found;
    report["domains"] = std::exchange(*domains_, ordered_json::array());
    return json_line(report);
}

}  // namespace posthorn
