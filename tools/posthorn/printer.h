// Answers for people: lines of JSON in, tables and sentences out, or CSV. Every text is made safe
// for terminals and spreadsheets here and nowhere else.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tools/posthorn/arguments.h"
#include "tools/posthorn/output.h"

namespace posthorn {

class Printer {
  public:
    virtual ~Printer() = default;
    virtual void line(const nlohmann::json& answer, TextOutput& output) = 0;
    virtual void end(TextOutput&) {}
};

// Of the command's answer when --json was not given. action: of suppress.
std::unique_ptr<Printer> printer_for(const std::string& command, const std::string& action,
                                     bool csv);

// ---- The larger ones, as text.
std::string report_text(const nlohmann::json& report);
std::string status_text(const nlohmann::json& status);
std::string trace_text(const nlohmann::json& trace);
std::string explain_text(const nlohmann::json& explanation);

}  // namespace posthorn
