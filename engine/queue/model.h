// The records of the queue as values: what is known of a campaign, its audience, lanes, leases and
// outcomes. Bytes on disk are made of them by keys.h and records.h; nobody else writes or reads
// those.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/mail/reply.h"
#include "engine/queue/campaign_record.h"

namespace posthorn {

// The part of one campaign's audience in one domain (A-label, lower case).
struct LaneId {
    CampaignNumber campaign = 0;
    std::string domain;

    friend auto operator<=>(const LaneId&, const LaneId&) = default;
};

// Names and their order are stored and shown; add at the end. Pending is the absence of a record.
enum class OutcomeState : std::uint8_t {
    kPending,
    kDeferred,
    kDelivered,
    kBounced,
    kExpired,
    kUncertain,
    kSuppressed,
    kCancelled
};
inline constexpr std::size_t kOutcomeStateCount = 8;
std::string_view name_of(OutcomeState state);
std::optional<OutcomeState> parse_outcome_state(std::string_view name);
constexpr bool is_final(OutcomeState state) { return state > OutcomeState::kDeferred; }

// One attempt as it ended: what was said, by whom, to whom.
struct AttemptRecord {
    WallTime time;  // of the final reply, or of what ended the attempt without one
    Stage stage = Stage::kNone;
    Category category = Category::kNone;
    Action action = Action::kNone;
    Reply reply;       // code 0: no reply, text says why (e.g. "connection lost after end of data")
    std::string host;  // MX host name
    std::string source;      // name of the egress source
    bool uncertain = false;  // may have been delivered: end of data written, no answer

    friend bool operator==(const AttemptRecord&, const AttemptRecord&) = default;
};

inline constexpr std::size_t kAttemptsKept = 5;  // the latest, inline in the outcome

struct OutcomeRecord {
    OutcomeState state = OutcomeState::kDeferred;
    Category category = Category::kNone;    // of the reply that decided, or last deferred it
    std::uint32_t attempts = 0;             // all, also those no longer kept
    std::uint32_t possible_duplicates = 0;  // attempts made after an uncertain one
    std::uint64_t lease = 0;                // sequence of the lease of the last attempt
    WallTime first_lease;                   // the message's Date
    WallTime next_due;                      // deferred only
    std::vector<AttemptRecord> latest;      // oldest first, at most kAttemptsKept

    friend bool operator==(const OutcomeRecord&, const OutcomeRecord&) = default;
};

// What may be on the wire: recorded before the end of data of anything in it is written.
struct LeaseRecord {
    LaneId lane;
    WallTime time;
    std::string source;
    std::vector<std::string>
        locals;  // local keys (see keys.h) of the recipients still without an outcome

    friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

// How a number of recipients divide; kPending of by_state is not kept but derived.
struct Figures {
    std::array<std::uint64_t, kOutcomeStateCount> by_state{};
    std::array<std::uint64_t, kCategoryCount> by_category{};  // of bounced, expired and deferred
    std::uint64_t attempts = 0;
    std::uint64_t possible_duplicates =
        0;  // attempts after an uncertain one: each may be an extra copy

    friend bool operator==(const Figures&, const Figures&) = default;
};

struct LaneRecord {
    std::uint64_t recipients = 0;
    Figures figures;   // as of the journal's last checkpoint; the events since complete them
    std::string mark;  // every position (keys.h) up to it has an outcome; may lag, never leads

    friend bool operator==(const LaneRecord&, const LaneRecord&) = default;
};

// One line of the delivery log. Slim: the outcome holds the words.
enum class EventType : std::uint8_t { kAttempt, kOutcome };
struct EventRecord {
    WallTime time;
    EventType type = EventType::kAttempt;
    LaneId lane;
    std::string local;  // local key
    OutcomeState before = OutcomeState::kPending, after = OutcomeState::kPending;
    Category category_before = Category::kNone, category = Category::kNone;
    std::uint32_t attempt = 0;  // number of the attempt, 0 for an outcome without one
    bool possible_duplicate =
        false;  // this attempt is the recipient's first after an uncertain one

    friend bool operator==(const EventRecord&, const EventRecord&) = default;
};

struct SuppressionRecord {
    std::string address;
    std::string reason;  // "invalid_mailbox", "unsubscribed", "complaint", "manual", …
    std::string source;  // "campaign:ID", "import:FILE", "operator"
    WallTime since;
    bool quarantined = false;

    friend bool operator==(const SuppressionRecord&, const SuppressionRecord&) = default;
};

}  // namespace posthorn
