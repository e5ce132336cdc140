// The lines of a sending as its user sees them: faults, live progress on standard error, and the
// report on standard output at the end.
#pragma once

#include <string>
#include <string_view>

#include "tools/posthorn/arguments.h"
#include "tools/posthorn/command.h"
#include "tools/posthorn/output.h"
#include "tools/posthorn/progress.h"
#include "tools/posthorn/report.h"

namespace posthorn {

class SendFollower : public LineSink {
  public:
    SendFollower(const Invocation& invocation, std::string campaign_file);

    bool line(std::string_view json) override;
    bool flush() override { return true; }

    void remark(const std::string& text);
    void end();  // the display is left as it is, the cursor given back, the report printed

  private:
    bool json_, quiet_;
    std::string campaign_file_;
    LiveDisplay display_;
    ProgressHistory history_;
    ReportPieces pieces_;
    std::string report_;  // as far as it came
};

}  // namespace posthorn
