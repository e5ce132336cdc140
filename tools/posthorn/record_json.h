// Stored records as the JSON that commands print. Field names are those of the documents.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/queue/model.h"

namespace posthorn {

nlohmann::ordered_json time_json(WallTime time);  // RFC 3339; null when there is none

// One row of `recipients`; the outcome may be null: pending.
nlohmann::ordered_json recipient_json(const std::string& address, const OutcomeRecord* outcome);

nlohmann::ordered_json attempt_json(const AttemptRecord& attempt);
nlohmann::ordered_json suppression_json(const SuppressionRecord& suppression);
nlohmann::ordered_json audience_json(const AudienceFigures& figures);

// Sums to recipients; what no outcome accounts for is pending.
nlohmann::ordered_json outcomes_json(const Figures& figures, std::uint64_t recipients);

std::string reply_text(const AttemptRecord& attempt);  // of one line, codes left out

}  // namespace posthorn
