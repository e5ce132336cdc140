// The report of a campaign as JSON, exact as of now, whether it is being delivered or not.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/process_usage.h"

namespace posthorn {

// Fields are those of the documents, in their order.
Result<nlohmann::ordered_json> campaign_report(const CommandContext& context,
                                               const CampaignRecord& campaign);

// One line, {"report":…}; before it as many of {"domains":[…]} as keep each line short enough for
// the socket, however many domains there are.
bool put_report(LineSink& sink, nlohmann::ordered_json report);

// Puts the pieces together again.
class ReportPieces {
  public:
    ReportPieces();
    ~ReportPieces();

    // The whole report as one line of JSON once it is complete; empty until then, and for lines
    // that are not of a report.
    std::string take(const nlohmann::ordered_json& line);

  private:
    std::unique_ptr<nlohmann::ordered_json> domains_;
};

}  // namespace posthorn
