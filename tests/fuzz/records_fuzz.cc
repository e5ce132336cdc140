// Any bytes as a stored value: what decodes encodes to bytes that decode to the same. The first
// octet chooses the record.
#include "campaigns/audience_intake.h"
#include "engine/base/check.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/records.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

constexpr std::uint64_t kSequence = 1'775'120'400'000'000;

template <class Record>
void check_again(std::string_view bytes, Result<Record> (*decode)(std::string_view)) {
    const Result<Record> record = decode(bytes);
    if (!record) {
        CHECK(record.error().kind == ErrorKind::kCorrupt);
        return;
    }
    const Result<Record> again = decode(encode(*record));
    CHECK(again.has_value() && *again == *record);
}

void check_event(std::string_view bytes) {
    const auto event = decode_event(bytes, kSequence);
    if (!event) return;
    std::string encoded;
    append_event(encoded, *event, kSequence);
    const auto again = decode_event(encoded, kSequence);
    CHECK(again.has_value() && *again == *event);
}

void check_outcome_head(std::string_view bytes) {
    const auto whole = decode_outcome(bytes);
    const auto head = decode_outcome_head(bytes);
    if (!whole) return;
    CHECK(head.has_value());
    CHECK(head->state == whole->state && head->category == whole->category);
}

void check_row(std::string_view bytes) {
    auto row = AudienceRow::parse(bytes);
    if (!row) return;
    std::string written;
    AudienceRowWriter writer(written, row->address(), row->name());
    constexpr int kVariables = 100;
    for (int i = 0; i < kVariables; ++i) {
        const RowVariable variable = row->next();
        if (variable.missing())
            writer.missing();
        else if (variable.is_json)
            writer.json(variable.bytes);
        else
            writer.text(variable.bytes);
    }
    auto again = AudienceRow::parse(written);
    CHECK(again.has_value());
    CHECK(again->address() == row->address() && again->name() == row->name());
    row->rewind();
    for (int i = 0; i < kVariables; ++i) {
        const RowVariable one = row->next(), other = again->next();
        CHECK(one.bytes == other.bytes && one.is_json == other.is_json);
    }
}

void check_position(std::string_view bytes) {
    const auto position = IntakePosition::decode(bytes);
    if (position) CHECK(IntakePosition::decode(position->encode()) == position);
}

void fuzz(FuzzInput input) {
    const std::uint8_t choice = input.octet();
    const std::string_view bytes = input.text(std::size_t{1} << 20);
    switch (choice % 10) {
        case 0:
            return check_again<OutcomeRecord>(bytes, decode_outcome);
        case 1:
            return check_again<LeaseRecord>(bytes, decode_lease);
        case 2:
            return check_again<LaneRecord>(bytes, decode_lane);
        case 3:
            return check_again<CampaignRecord>(bytes, decode_campaign);
        case 4:
            return check_again<SuppressionRecord>(bytes, decode_suppression);
        case 5:
            return check_again<Figures>(bytes, decode_figures);
        case 6:
            return check_event(bytes);
        case 7:
            return check_outcome_head(bytes);
        case 8:
            return check_row(bytes);
        default:
            return check_position(bytes);
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz({bytes, size});
    return 0;
}
