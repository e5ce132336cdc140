// The report of a campaign as JSON, exact as of now, whether it is being delivered or not. It may
// have a million domains: they pass as text in pieces, and are nowhere kept as JSON.
#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/process_usage.h"
#include "tools/posthorn/stored_figures.h"

namespace posthorn {

inline constexpr std::size_t kDomainsShown = 20;  // to a person; the others are counted

struct CampaignReport {
    std::unique_ptr<nlohmann::ordered_json> summary;  // an object: all but the domains
    std::vector<DomainFigures> domains;
};

// How many domains a request asks for in its field "domains"; without it, all.
std::size_t domains_asked_for(const nlohmann::json& request);

// Fields are those of the documents, in their order.
Result<CampaignReport> campaign_report(const CommandContext& context,
                                       const CampaignRecord& campaign, std::size_t domains_max);

// {"report":{…}}, then as many of {"domains":[…]} as keep each line short enough for the socket,
// then {"report_end":true}. False when nobody reads.
bool put_report(LineSink& sink, const CampaignReport& report);

// Makes one line of JSON, {…,"domains":[…]}, of the lines of put_report, piece by piece.
class ReportPieces {
  public:
    // What comes next of that line, without a line end; empty for lines that are not of a report.
    std::string take(std::string_view line);
    bool complete() const { return state_ == State::kComplete; }

  private:
    enum class State { kNothing, kSummary, kDomains, kComplete };
    State state_ = State::kNothing;
};

}  // namespace posthorn
