#include "tools/posthorn/follower.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/printer.h"
#include "tools/posthorn/problems.h"

namespace posthorn {

SendFollower::SendFollower(const Invocation& invocation, std::string campaign_file)
    : json_(invocation.json),
      quiet_(invocation.quiet),
      campaign_file_(std::move(campaign_file)),
      display_(STDERR_FILENO) {}

bool SendFollower::line(std::string_view json) {
    if (const std::string piece = pieces_.take(json); !piece.empty()) {
        report_ += piece;
        return true;
    }
    const auto answer = nlohmann::ordered_json::parse(json, nullptr, false);
    if (!answer.is_object()) return true;
    if (const auto progress = answer.find("progress"); progress != answer.end()) {
        auto picture = progress_from_json(nlohmann::json(*progress));
        if (!picture || quiet_) return true;
        const double now_s = picture->at_s;
        history_.add(std::move(*picture));
        display_.draw(history_, now_s);
    } else if (const auto problem = answer.find("problem"); problem != answer.end()) {
        // Standard output is the report's; errors take its place, for then there is none.
        const bool instead = text_field(nlohmann::json(*problem), "severity") == "error";
        if (json_)
            TextOutput(instead ? STDOUT_FILENO : STDERR_FILENO).write(json_line(*problem) + "\n");
        else
            TextOutput(STDERR_FILENO).write(problem_text(nlohmann::json(*problem), campaign_file_));
    }
    return true;
}

void SendFollower::remark(const std::string& text) {
    if (!quiet_) display_.note(text);
}

void SendFollower::end() {
    if (!quiet_) display_.last(history_);
    if (!pieces_.complete()) return;
    TextOutput output(STDOUT_FILENO);
    if (json_)
        output.write(report_ + "\n");
    else
        output.write((display_.is_terminal() ? "\n" : "") +
                     report_text(parse_json_object(report_)));
}

}  // namespace posthorn
