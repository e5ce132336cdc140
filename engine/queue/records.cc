#include "engine/queue/records.h"

#include <bit>

#include "engine/queue/record_bytes.h"

namespace posthorn {

void put_signed(std::string& out, std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    put_varint(out, (bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

std::int64_t read_signed(ByteReader& in) {
    const std::uint64_t bits = in.varint();
    return std::bit_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
}

// Differences are taken modulo 2^64, so that no pair of times overflows.
void put_time(std::string& out, WallTime time, WallTime base) {
    const auto distance =
        static_cast<std::uint64_t>(to_micros(time)) - static_cast<std::uint64_t>(to_micros(base));
    put_signed(out, std::bit_cast<std::int64_t>(distance));
}

WallTime read_time(ByteReader& in, WallTime base) {
    const auto distance = static_cast<std::uint64_t>(read_signed(in));
    return wall_from_micros(
        std::bit_cast<std::int64_t>(static_cast<std::uint64_t>(to_micros(base)) + distance));
}

Error corrupt_record(std::string_view what) {
    return {ErrorKind::kCorrupt, "the store holds a damaged " + std::string(what) +
                                     " record: restore the data directory from a copy"};
}

namespace {

void put_figures(std::string& out, const Figures& figures) {
    put_u8(out, kOutcomeStateCount);
    for (const std::uint64_t count : figures.by_state) put_varint(out, count);
    put_u8(out, kCategoryCount);
    for (const std::uint64_t count : figures.by_category) put_varint(out, count);
    put_varint(out, figures.attempts);
    put_varint(out, figures.possible_duplicates);
}

// States and categories are only ever added at the end: a shorter table is an older one.
template <std::size_t N>
bool read_counts(ByteReader& in, std::array<std::uint64_t, N>& counts) {
    const std::uint8_t stored = in.u8();
    if (stored > N) return false;
    for (std::size_t i = 0; i < stored; ++i) counts[i] = in.varint();
    return in.ok();
}

bool read_figures(ByteReader& in, Figures& figures) {
    if (!read_counts(in, figures.by_state) || !read_counts(in, figures.by_category)) return false;
    figures.attempts = in.varint();
    figures.possible_duplicates = in.varint();
    return in.ok();
}

void put_lane(std::string& out, const LaneId& lane) {
    put_varint(out, lane.campaign);
    put_string(out, lane.domain);
}

bool read_lane(ByteReader& in, LaneId& lane) {
    if (!read_integer(in, lane.campaign)) return false;
    lane.domain = in.string();
    return in.ok();
}

constexpr Category kLastCategory = static_cast<Category>(kCategoryCount - 1);
constexpr OutcomeState kLastState = OutcomeState::kCancelled;

}  // namespace

void append_record(std::string& out, const Figures& figures) {
    put_u8(out, kRecordFormat);
    put_figures(out, figures);
}

Result<Figures> decode_figures(std::string_view bytes) {
    ByteReader in(bytes);
    Figures figures;
    if (!read_format(in) || !read_figures(in, figures) || !in.at_end())
        return corrupt_record("figures");
    return figures;
}

void append_record(std::string& out, const LaneRecord& lane) {
    put_u8(out, kRecordFormat);
    put_varint(out, lane.recipients);
    put_string(out, lane.mark);
    // Until something of it is recorded, a lane has no figures: a hundred thousand are small.
    const bool has_figures = lane.figures != Figures{};
    put_u8(out, has_figures ? 1 : 0);
    if (has_figures) put_figures(out, lane.figures);
}

Result<LaneRecord> decode_lane(std::string_view bytes) {
    ByteReader in(bytes);
    LaneRecord lane;
    if (!read_format(in)) return corrupt_record("lane");
    lane.recipients = in.varint();
    lane.mark = in.string();
    const std::uint8_t has_figures = in.u8();
    if (has_figures > 1 || (has_figures == 1 && !read_figures(in, lane.figures)) || !in.at_end())
        return corrupt_record("lane");
    return lane;
}

void append_record(std::string& out, const LeaseRecord& lease) {
    put_u8(out, kRecordFormat);
    put_lane(out, lease.lane);
    put_time(out, lease.time);
    put_string(out, lease.source);
    put_varint(out, lease.locals.size());
    for (const std::string& local : lease.locals) put_string(out, local);
}

Result<LeaseRecord> decode_lease(std::string_view bytes) {
    ByteReader in(bytes);
    LeaseRecord lease;
    if (!read_format(in) || !read_lane(in, lease.lane)) return corrupt_record("lease");
    lease.time = read_time(in);
    lease.source = in.string();
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > in.rest().size()) return corrupt_record("lease");
    lease.locals.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) lease.locals.emplace_back(in.string());
    if (!in.at_end()) return corrupt_record("lease");
    return lease;
}

// event := format time type|duplicate<<4 before|after<<4 category category attempt lane local
void append_event(std::string& out, const EventRecord& event, std::uint64_t sequence) {
    put_u8(out, kRecordFormat);
    put_time(out, event.time, wall_from_micros(std::bit_cast<std::int64_t>(sequence)));
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(event.type) |
                                          (event.possible_duplicate ? 0x10U : 0U)));
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(event.before) |
                                          static_cast<unsigned>(event.after) << 4));
    put_u8(out, static_cast<std::uint8_t>(event.category_before));
    put_u8(out, static_cast<std::uint8_t>(event.category));
    put_varint(out, event.attempt);
    put_lane(out, event.lane);
    put_string(out, event.local);
}

Result<EventRecord> decode_event(std::string_view bytes, std::uint64_t sequence) {
    ByteReader in(bytes);
    EventRecord event;
    if (!read_format(in)) return corrupt_record("event");
    event.time = read_time(in, wall_from_micros(std::bit_cast<std::int64_t>(sequence)));
    const std::uint8_t type = in.u8();
    event.possible_duplicate = (type & 0x10) != 0;
    const std::uint8_t states = in.u8();
    const bool known = read_enum(type & ~0x10U, EventType::kOutcome, event.type) &&
                       read_enum(states & 0x0fU, kLastState, event.before) &&
                       read_enum(states >> 4U, kLastState, event.after) &&
                       read_enum(in.u8(), kLastCategory, event.category_before) &&
                       read_enum(in.u8(), kLastCategory, event.category);
    if (!known || !read_integer(in, event.attempt) || !read_lane(in, event.lane))
        return corrupt_record("event");
    event.local = in.string();
    if (!in.at_end()) return corrupt_record("event");
    return event;
}

void append_record(std::string& out, const SuppressionRecord& suppression) {
    put_u8(out, kRecordFormat);
    put_u8(out, suppression.quarantined ? 1 : 0);
    put_string(out, suppression.address);
    put_string(out, suppression.reason);
    put_string(out, suppression.source);
    put_time(out, suppression.since);
}

Result<SuppressionRecord> decode_suppression(std::string_view bytes) {
    ByteReader in(bytes);
    SuppressionRecord suppression;
    if (!read_format(in)) return corrupt_record("suppression");
    const std::uint8_t quarantined = in.u8();
    suppression.quarantined = quarantined == 1;
    suppression.address = in.string();
    suppression.reason = in.string();
    suppression.source = in.string();
    suppression.since = read_time(in);
    if (quarantined > 1 || !in.at_end()) return corrupt_record("suppression");
    return suppression;
}

}  // namespace posthorn
