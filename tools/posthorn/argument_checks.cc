#include "tools/posthorn/argument_checks.h"

#include <filesystem>

#include "engine/base/units.h"
#include "engine/mail/reply.h"
#include "engine/queue/model.h"

namespace posthorn {

std::string check_outcome(const std::string& text) {
    if (parse_outcome_state(text)) return "";
    return "'" + text +
           "' is not an outcome: pending, deferred, delivered, bounced, expired, uncertain, "
           "suppressed or cancelled";
}

std::string check_stage(const std::string& text) {
    return parse_stage(text) ? ""
                             : "'" + text +
                                   "' is not a stage: dns, connect, ehlo, starttls, "
                                   "auth, mail, rcpt, data or dot";
}

std::string check_time(const std::string& text) {
    return parse_rfc3339(text) || parse_duration(text)
               ? ""
               : "'" + text + "' is neither a time (2026-04-02T09:00:00Z) nor a duration ago (2h)";
}

std::string absolute(const std::string& path) {
    std::error_code fault;
    const auto full = std::filesystem::absolute(path, fault);
    return fault ? path : full.lexically_normal().string();
}

}  // namespace posthorn
