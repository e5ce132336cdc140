// The stored bytes of the records of model.h. Every record begins with a format byte; integers are
// varints, times are offsets from a time nearby, and a string is its length and its bytes. Decoding
// takes any bytes: those that no encode function wrote are ErrorKind::kCorrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/queue/model.h"

namespace posthorn {

void append_record(std::string& out, const OutcomeRecord& outcome);
void append_record(std::string& out, const LeaseRecord& lease);
void append_record(std::string& out, const LaneRecord& lane);
void append_record(std::string& out, const CampaignRecord& campaign);
void append_record(std::string& out, const SuppressionRecord& suppression);
void append_record(std::string& out, const Figures& figures);

// Of the record under this sequence number, which is near its time in microseconds.
void append_event(std::string& out, const EventRecord& event, std::uint64_t sequence);

template <class Record>
std::string encode(const Record& record) {
    std::string out;
    append_record(out, record);
    return out;
}

Result<OutcomeRecord> decode_outcome(std::string_view bytes);
Result<LeaseRecord> decode_lease(std::string_view bytes);
Result<LaneRecord> decode_lane(std::string_view bytes);
Result<CampaignRecord> decode_campaign(std::string_view bytes);
Result<SuppressionRecord> decode_suppression(std::string_view bytes);
Result<Figures> decode_figures(std::string_view bytes);
Result<EventRecord> decode_event(std::string_view bytes, std::uint64_t sequence);

// Only what scans over many outcomes look at first.
struct OutcomeHead {
    OutcomeState state = OutcomeState::kDeferred;
    Category category = Category::kNone;
};
Result<OutcomeHead> decode_outcome_head(std::string_view bytes);

}  // namespace posthorn
