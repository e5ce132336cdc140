// Any bytes as a segment: parsing gives a fault inside the text or a condition that answers, the
// same twice, about rows as hostile as itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/segment.h"
#include "engine/base/check.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

class HashedHistory final : public SegmentHistory {
  public:
    Result<bool> knows(std::string_view id) override { return !id.empty(); }
    Result<PastOutcome> outcome(std::string_view id, const Address&) override {
        return static_cast<PastOutcome>(id.size() % 3);
    }
};

void fuzz(FuzzInput input) {
    const std::string value(input.text(input.octet()));
    const std::string text(input.text(8192));
    SegmentFault fault;
    const std::optional<Segment> segment = Segment::parse(text, fault);
    if (!segment) {
        CHECK(fault.offset <= text.size());
        CHECK(!fault.message.empty());
        return;
    }
    Address address;
    CHECK(parse_address("Ann@example.test", address) == AddressFault::kNone);
    std::vector<std::string> columns = {"a", "b", "tags"};
    std::vector<RowVariable> row = {{value, false}, {value, true}, {"x,y;[\"z\"]", false}};
    const std::vector<TemplateConstant> constants = {{"k", "[1,{\"a\":\"x\"}]", true}};
    HashedHistory history;
    SegmentFilter filter(*segment, wall_from_micros(1'775'000'000'000'000), &constants, &history);
    const auto first = filter.matches({address, value, row}, columns);
    CHECK(first.has_value());
    CHECK(filter.unknown(columns).size() <= segment->fields().size());
    columns.emplace_back("new");
    row.push_back({{}, true});
    CHECK(filter.matches({address, value, row}, columns).has_value());
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(posthorn::FuzzInput(bytes, size));
    return 0;
}
