// Outcomes on disk: one per recipient that was ever attempted, so every byte counts.
//
//   outcome := format state|has_due<<4 category attempts possible_duplicates lease first_lease
//              [next_due] count attempt{count}
//   attempt := time stage|enhanced<<4|uncertain<<5 category action code [class subject detail]
//              text host source
#include "engine/queue/record_bytes.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kLowBits = 0x0f;
constexpr std::uint8_t kHasDue = 0x10;
constexpr std::uint8_t kHasEnhanced = 0x10;
constexpr std::uint8_t kUncertainBit = 0x20;

constexpr Category kLastCategory = static_cast<Category>(kCategoryCount - 1);

void put_attempt(std::string& out, const AttemptRecord& attempt, WallTime base) {
    put_time(out, attempt.time, base);
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(attempt.stage) |
                                          (attempt.reply.enhanced ? kHasEnhanced : 0U) |
                                          (attempt.uncertain ? kUncertainBit : 0U)));
    put_u8(out, static_cast<std::uint8_t>(attempt.category));
    put_u8(out, static_cast<std::uint8_t>(attempt.action));
    put_varint(out, attempt.reply.code);
    if (const auto& enhanced = attempt.reply.enhanced) {
        put_varint(out, enhanced->klass);
        put_varint(out, enhanced->subject);
        put_varint(out, enhanced->detail);
    }
    put_string(out, attempt.reply.text);
    put_string(out, attempt.host);
    put_string(out, attempt.source);
}

bool read_attempt(ByteReader& in, AttemptRecord& attempt, WallTime base) {
    attempt.time = read_time(in, base);
    const std::uint8_t head = in.u8();
    if ((head & ~(kLowBits | kHasEnhanced | kUncertainBit)) != 0) return false;
    attempt.uncertain = (head & kUncertainBit) != 0;
    if (!read_enum(head & kLowBits, Stage::kQuit, attempt.stage) ||
        !read_enum(in.u8(), kLastCategory, attempt.category) ||
        !read_enum(in.u8(), Action::kStop, attempt.action) || !read_integer(in, attempt.reply.code))
        return false;
    if ((head & kHasEnhanced) != 0) {
        EnhancedCode code;
        if (!read_integer(in, code.klass) || !read_integer(in, code.subject) ||
            !read_integer(in, code.detail))
            return false;
        attempt.reply.enhanced = code;
    }
    attempt.reply.text = in.string();
    attempt.host = in.string();
    attempt.source = in.string();
    return in.ok();
}

bool read_head(ByteReader& in, OutcomeHead& head, bool& has_due) {
    if (!read_format(in)) return false;
    const std::uint8_t state = in.u8();
    has_due = (state & kHasDue) != 0;
    return read_enum(state & ~unsigned{kHasDue}, OutcomeState::kCancelled, head.state) &&
           read_enum(in.u8(), kLastCategory, head.category) && in.ok();
}

}  // namespace

void append_record(std::string& out, const OutcomeRecord& outcome) {
    const bool has_due = outcome.next_due != WallTime();
    put_u8(out, kRecordFormat);
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(outcome.state) |
                                          (has_due ? kHasDue : 0U)));
    put_u8(out, static_cast<std::uint8_t>(outcome.category));
    put_varint(out, outcome.attempts);
    put_varint(out, outcome.possible_duplicates);
    put_varint(out, outcome.lease);
    put_time(out, outcome.first_lease);
    if (has_due) put_time(out, outcome.next_due, outcome.first_lease);
    put_varint(out, outcome.latest.size());
    for (const AttemptRecord& attempt : outcome.latest)
        put_attempt(out, attempt, outcome.first_lease);
}

Result<OutcomeRecord> decode_outcome(std::string_view bytes) {
    ByteReader in(bytes);
    OutcomeHead head;
    OutcomeRecord outcome;
    bool has_due = false;
    if (!read_head(in, head, has_due) || !read_integer(in, outcome.attempts) ||
        !read_integer(in, outcome.possible_duplicates))
        return corrupt_record("outcome");
    outcome.state = head.state;
    outcome.category = head.category;
    outcome.lease = in.varint();
    outcome.first_lease = read_time(in);
    if (has_due) outcome.next_due = read_time(in, outcome.first_lease);
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > kAttemptsKept) return corrupt_record("outcome");
    outcome.latest.resize(count);
    for (AttemptRecord& attempt : outcome.latest)
        if (!read_attempt(in, attempt, outcome.first_lease)) return corrupt_record("outcome");
    if (!in.at_end()) return corrupt_record("outcome");
    return outcome;
}

Result<OutcomeHead> decode_outcome_head(std::string_view bytes) {
    ByteReader in(bytes);
    OutcomeHead head;
    bool has_due = false;
    if (!read_head(in, head, has_due)) return corrupt_record("outcome");
    return head;
}

}  // namespace posthorn
