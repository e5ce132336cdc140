// Any bytes as a profile of the simulated internet: faults have words, and what is read ends in an
// entry for every domain.
#include "engine/base/check.h"
#include "tools/sink/profile.h"

namespace posthorn::sink {
namespace {

void fuzz(std::string_view text) {
    const auto profile = parse_profile(text, "p.json");
    if (!profile) {
        CHECK(!profile.error().message.empty());
        return;
    }
    CHECK(!profile->entries.empty() && profile->entries.back().match == "*");
    for (const Entry& entry : profile->entries) {
        CHECK(entry.latency.low <= entry.latency.high);
        CHECK(entry.share >= 0 && entry.share <= 1);
        for (const ReplyRule& rule : entry.replies) {
            CHECK(rule.share >= 0 && rule.share <= 1);
            CHECK(rule.reply.code >= 200 && rule.reply.code < 600);
        }
    }
}

}  // namespace
}  // namespace posthorn::sink

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::sink::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
