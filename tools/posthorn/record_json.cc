#include "tools/posthorn/record_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/base/units.h"

namespace posthorn {

using nlohmann::ordered_json;

ordered_json time_json(WallTime time) {
    return time == WallTime() ? ordered_json(nullptr) : ordered_json(rfc3339(time));
}

std::string reply_text(const AttemptRecord& attempt) {
    std::string text = attempt.reply.text;
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

namespace {

void put_reply(ordered_json& to, const AttemptRecord& attempt) {
    to["code"] = attempt.reply.code == 0 ? ordered_json(nullptr) : ordered_json(attempt.reply.code);
    to["enhanced_code"] = attempt.reply.enhanced ? ordered_json(to_string(*attempt.reply.enhanced))
                                                 : ordered_json(nullptr);
    to["reply"] = reply_text(attempt);
    to["stage"] = name_of(attempt.stage);
}

ordered_json category_json(Category category) {
    return category == Category::kNone ? ordered_json(nullptr) : ordered_json(name_of(category));
}

}  // namespace

ordered_json attempt_json(const AttemptRecord& attempt) {
    ordered_json json;
    json["time"] = time_json(attempt.time);
    json["category"] = category_json(attempt.category);
    json["action"] = name_of(attempt.action);
    put_reply(json, attempt);
    json["mx_host"] = attempt.host;
    json["source"] = attempt.source;
    json["uncertain"] = attempt.uncertain;
    return json;
}

ordered_json recipient_json(const std::string& address, const OutcomeRecord* outcome) {
    static const AttemptRecord kNoAttempt;
    static const OutcomeRecord kPending{
        OutcomeState::kPending, Category::kNone, 0, 0, 0, {}, {}, {}};
    const OutcomeRecord& record = outcome == nullptr ? kPending : *outcome;
    const AttemptRecord& last = record.latest.empty() ? kNoAttempt : record.latest.back();
    ordered_json json;
    json["email"] = address;
    json["outcome"] = name_of(record.state);
    json["category"] = category_json(record.category);
    put_reply(json, last);
    json["attempts"] = record.attempts;
    json["first_time"] = time_json(record.first_lease);
    json["last_time"] = time_json(last.time);
    json["next_time"] =
        time_json(record.state == OutcomeState::kDeferred ? record.next_due : WallTime());
    json["mx_host"] = last.host;
    json["source"] = last.source;
    json["possible_duplicates"] = record.possible_duplicates;
    return json;
}

ordered_json suppression_json(const SuppressionRecord& suppression) {
    ordered_json json;
    json["email"] = suppression.address;
    json["reason"] = suppression.reason;
    json["source"] = suppression.source;
    json["since"] = time_json(suppression.since);
    if (suppression.quarantined) json["quarantined"] = true;
    return json;
}

ordered_json audience_json(const AudienceFigures& figures) {
    return {{"rows", figures.rows},           {"invalid", figures.invalid},
            {"duplicate", figures.duplicate}, {"suppressed", figures.suppressed},
            {"excluded", figures.excluded},   {"recipients", figures.recipients}};
}

ordered_json outcomes_json(const Figures& figures, std::uint64_t recipients) {
    const auto& states = figures.by_state;
    const auto count = [&](OutcomeState state) { return states[static_cast<std::size_t>(state)]; };
    const std::uint64_t known = std::accumulate(states.begin() + 1, states.end(), std::uint64_t{0});
    ordered_json json;
    for (const OutcomeState state :
         {OutcomeState::kDelivered, OutcomeState::kBounced, OutcomeState::kExpired,
          OutcomeState::kUncertain, OutcomeState::kSuppressed, OutcomeState::kCancelled,
          OutcomeState::kDeferred})
        json[std::string(name_of(state))] = count(state);
    json["pending"] = recipients - std::min(recipients, known);
    return json;
}

}  // namespace posthorn
