// Any bytes as a list in CSV, read whole and in two parts: both must give the same rows, and every
// row must be counted once.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "campaigns/audience_intake.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace posthorn {
namespace {

class HashingSink final : public AudienceSink {
  public:
    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override {
        CHECK(!domain.empty() && !local.empty());
        CHECK(AudienceRow::parse(row));
        hash = hash64(row, hash ^ row_number);
        return {};
    }
    std::uint64_t hash = 0;
};

void fuzz(std::string_view bytes) {
    Campaign campaign;
    campaign.recipients.inline_rows.bytes = bytes;
    campaign.recipients.format = ListFormat::kCsv;
    campaign.recipients.max_invalid_percent = 100;
    HashingSink whole_sink, sink;
    AudienceIntake whole(campaign, {});
    while (whole.read(whole_sink, 1000) == AudienceIntake::State::kReading) {
    }
    const AudienceFigures figures = whole.figures();
    CHECK(figures.rows == figures.invalid + figures.recipients);

    AudienceIntake first(campaign, {});
    first.read(sink, figures.rows / 2);
    if (first.state() != AudienceIntake::State::kReading) return;
    const auto position = IntakePosition::decode(first.position()->encode());
    CHECK(position.has_value());
    AudienceIntake second(campaign, {}, position);
    while (second.read(sink, 1000) == AudienceIntake::State::kReading) {
    }
    CHECK(second.figures() == figures);
    CHECK(second.columns() == whole.columns());
    CHECK(sink.hash == whole_sink.hash);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
