#include "tools/posthorn/problems.h"

#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {

nlohmann::ordered_json problems_json(const std::vector<CampaignError>& problems) {
    auto json = nlohmann::ordered_json::parse(to_json(problems), nullptr, false);
    return json.is_array() ? json : nlohmann::ordered_json::array();
}

std::string problem_text(const nlohmann::json& problem, const std::string& campaign_file) {
    std::string file = text_field(problem, "file");
    if (file.empty()) file = campaign_file;
    std::string text = printable(file);
    for (const char* key : {"line", "column"})
        if (const std::uint64_t at = count_field(problem, key); at > 0)
            text += ":" + std::to_string(at);
    text += ": " + text_field(problem, "severity") + " " + text_field(problem, "code") + ": " +
            printable(text_field(problem, "message"));
    if (const std::string path = text_field(problem, "path"); !path.empty())
        text += " [" + printable(path) + "]";
    text += "\n";
    if (const std::string hint = text_field(problem, "hint"); !hint.empty())
        text += "    " + printable(hint) + "\n";
    return text;
}

}  // namespace posthorn
