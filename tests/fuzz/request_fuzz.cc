// Any lines as requests over the control socket, carried out on a small store in memory: each ends,
// with an answer in JSON, and what it leaves behind can still be read.
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "tests/fuzz/input.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"

namespace posthorn {
namespace {

class CheckedLines : public LineSink {
  public:
    bool line(std::string_view json) override {
        CHECK(nlohmann::json::accept(json));
        return ++lines_ < 1000;
    }
    bool flush() override { return true; }

  private:
    int lines_ = 0;
};

void enter(Store& store) {
    CampaignRecord record;
    record.id = "spring";
    record.state = CampaignState::kRunning;
    record.audience = {1, 0, 0, 0, 0, 1};
    const auto created = CampaignCatalog(store).create(record);
    CHECK(created.has_value());
    std::string row;
    AudienceRowWriter writer(row, "Ann@a.test", "");
    WriteBatch batch;
    batch.put(Family::kAudience, audience_key({created->number, "a.test"}, local_key("Ann")), row);
    CHECK(store.write(batch).has_value());
}

// What reads or writes files that the request names is not for a fuzzer.
bool touches_files(const nlohmann::json& request) {
    return text_field(request, "action") == "import" || text_field(request, "command") == "purge";
}

void fuzz(FuzzInput input) {
    const std::unique_ptr<Store> store = make_memory_store();
    enter(*store);
    CommandContext context{*store, "/nonexistent", Config{}, [] { return Now{}; }};
    CheckedLines lines;
    while (!input.empty()) {
        const nlohmann::json request = parse_json_object(input.line());
        if (!request.is_object() || touches_files(request)) continue;
        const CommandResult result = run_command(context, request, lines);
        CHECK(result.exit >= kDone && result.exit <= kStopped);
        CHECK(nlohmann::json::accept(end_line(result)));
    }
    CHECK(run_command(context, {{"command", "status"}}, lines).exit == kDone);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz({bytes, size});
    return 0;
}
