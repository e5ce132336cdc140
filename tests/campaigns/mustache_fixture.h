// Renders a Mustache template over JSON the way the published specification means it: the members
// of the data are the columns of one recipient, and the data itself is what {{.}} stands for.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/template_run.h"

namespace posthorn::testing_mustache {

inline std::string rendered(std::string_view text, const nlohmann::ordered_json& data,
                            const nlohmann::json& partials, MissingPolicy missing,
                            std::vector<CampaignError>& faults) {
    std::vector<std::string> columns = {"."};
    std::vector<std::string> values = {data.dump()};
    if (data.is_object())
        for (const auto& [name, value] : data.items()) {
            columns.push_back(name);
            values.push_back(value.dump());
        }
    std::vector<TemplatePartial> known;
    for (const auto& [name, partial] : partials.items())
        known.push_back({name, partial.get<std::string>(), name + ".mustache"});
    const TemplateNames names{&columns, nullptr, nullptr, &known};
    const Program program =
        compile_template(text, TemplateKind::kHtml, missing, names, {"/html", "mail.html"}, faults);
    if (has_errors(faults)) return "! " + faults.front().message;
    std::vector<TemplateValue> slots(kBuiltInCount);
    for (const std::string& value : values) slots.push_back({value, true});
    std::string out;
    TemplateScratch scratch;
    StringSink sink(program, out, 1u << 20);
    const RunOutcome outcome = run_program(program, slots, scratch, sink);
    EXPECT_EQ(find_missing(program, slots, scratch).state == RunState::kMissing,
              outcome.state == RunState::kMissing)
        << text;
    if (outcome.state == RunState::kTooDeep) return "! too deep";
    return outcome.state == RunState::kDone ? out : "! stopped";
}

inline std::string rendered(std::string_view text, const std::string& data,
                            const std::string& partials = "{}") {
    std::vector<CampaignError> faults;
    return rendered(text, nlohmann::ordered_json::parse(data), nlohmann::json::parse(partials),
                    MissingPolicy::kEmpty, faults);
}

}  // namespace posthorn::testing_mustache
