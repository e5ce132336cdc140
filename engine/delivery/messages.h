// What the roles say to each other. Scheduler -> Reader: which rows it will need. Scheduler ->
// Journal: what must be durable. Scheduler -> Sender: sessions to open or close. Journal -> Sender:
// a lease, once it is durable. Sender -> Scheduler: what became of sessions and attempts. Journal,
// Reader -> Scheduler: done. Long because the whole conversation is read best in one place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/delivery/page.h"
#include "engine/delivery/renderer.h"
#include "engine/delivery/tls_policy.h"
#include "engine/mail/ip_address.h"
#include "engine/mail/mail_hosts.h"
#include "engine/queue/model.h"
#include "engine/smtp/client_options.h"

namespace posthorn {

struct StsPolicy;

using SlotId = std::uint64_t;  // one session of one sender; never reused within a run

// Recipients of one lane granted to one session. Immutable and shared by all who handle it.
struct Lease {
    std::uint64_t sequence = 0;
    SlotId slot = 0;
    LaneId lane;
    std::string source;
    WallTime time;
    Instant valid_until;  // what was not started by then comes back
    bool alone = false;   // one unanswered end of data at a time: what uncertain: hold asks for
    std::shared_ptr<const Renderer> renderer;
    std::vector<Recipient> recipients;
};

// ---- Scheduler -> Reader, answered with the same ticket
// ------------------------------------------

// Lanes in lane order, each with its first pending rows, in one sweep.
struct OpenLanes {
    std::uint64_t ticket = 0;
    CampaignNumber campaign = 0;
    std::string after;  // lane order key to go on after; empty: from the head
    std::uint32_t lanes_max = 0;
    std::uint32_t rows_max = 0;  // in all; a lane too large gives its first rows
    std::uint32_t rows_per_lane_max = 0;
};

// Pending rows of one lane, by position: in the audience, without an outcome.
struct ReadFresh {
    std::uint64_t ticket = 0;
    LaneId lane;
    std::string after;  // position to go on after; empty: from the lane's mark
    std::uint32_t rows_max = 0;
};

// Deferred rows of one lane with due <= until, earliest first, after (due, local) exclusively.
struct ReadDue {
    std::uint64_t ticket = 0;
    LaneId lane;
    WallTime until;
    WallTime after_due;
    std::string after_local;
    std::uint32_t rows_max = 0;
};

// The lanes of a campaign that have deferred rows, with the earliest due time of each: at start-up.
struct ListDeferredLanes {
    std::uint64_t ticket = 0;
    CampaignNumber campaign = 0;
    std::string after_domain;
    std::uint32_t lanes_max = 0;
};

using ReaderRequest = std::variant<OpenLanes, ReadFresh, ReadDue, ListDeferredLanes>;

// ---- Reader -> Scheduler
// -------------------------------------------------------------------------

struct LaneHead {
    std::string domain;
    std::uint64_t recipients = 0;  // in the lane's audience
    std::uint32_t first = 0;       // its rows in the page: [first, first + count)
    std::uint32_t count = 0;
    bool complete = false;  // there are no pending rows beyond these
};

struct LanesOpened {
    std::uint64_t ticket = 0;
    std::shared_ptr<const Page> page;
    std::vector<LaneHead> lanes;  // lanes without pending rows are left out
    std::string next_after;       // where to go on
    bool complete = false;        // the lane order is at its end
};

struct RowsRead {  // answers ReadFresh and ReadDue
    std::uint64_t ticket = 0;
    std::shared_ptr<const Page> page;
    bool complete = false;             // nothing (due) beyond these
    std::optional<WallTime> next_due;  // ReadDue when complete: the earliest due beyond `until`
};

struct DeferredLanes {
    std::uint64_t ticket = 0;
    std::vector<std::pair<std::string, WallTime>> lanes;  // domain, earliest due
    std::string next_after;
    bool complete = false;
};

struct ReadFailed {
    std::uint64_t ticket = 0;
    Error error;
};

using ReaderAnswer = std::variant<LanesOpened, RowsRead, DeferredLanes, ReadFailed>;

// ---- Scheduler -> Journal
// ------------------------------------------------------------------------

// Durable first; then the journal hands the lease to the sender.
struct GrantLease {
    std::shared_ptr<const Lease> lease;
    std::uint32_t sender = 0;
};

// One recipient's new state. With a lease it accounts for that recipient in it.
struct RecordOutcome {
    LaneId lane;
    Recipient recipient;
    std::uint64_t lease = 0;  // 0: without an attempt (expiry, cancellation, suppression)
    std::optional<AttemptRecord>
        attempt;  // appended to the kept ones; counted when there is a lease
    OutcomeState state = OutcomeState::kDeferred;
    Category category = Category::kNone;
    WallTime first_lease;
    WallTime next_due;         // deferred only
    bool suppress = false;     // add the address to the suppression list, reason = category
    std::string quarantine{};  // not in force, under this source: whether it was right is in doubt
};

// Suppressions that deliveries made: not in force any more, and found under this source.
struct QuarantineSuppressions {
    std::string source;
    std::vector<std::pair<std::string, std::string>> addresses;  // domain, folded local part
};

// A leased recipient that was not attempted: it is as it was before the lease.
struct RecordReturned {
    std::uint64_t lease = 0;
    Recipient recipient;
};

// Every key of the lane up to this local key has an outcome.
struct RecordMark {
    LaneId lane;
    std::string local;
};

struct PutCampaign {
    CampaignRecord campaign;
};

// Operators' holds, limits' windows and the like: state family, kind · 0 · key. No value: erase.
struct PutState {
    std::string kind;
    std::string key;
    std::optional<std::string> value;
};

using JournalEntry = std::variant<GrantLease, RecordOutcome, RecordReturned, RecordMark,
                                  PutCampaign, PutState, QuarantineSuppressions>;

// ---- Journal -> Scheduler: durable now, in the order of the entries
// --------------------------------

struct OutcomeRecorded {
    LaneId lane;
    std::uint64_t lease = 0;
    OutcomeState state = OutcomeState::kDeferred;
    WallTime next_due;
};

struct CampaignFigures {
    CampaignNumber campaign = 0;
    Figures figures;  // of all that is recorded; pending = audience - their sum
};

struct JournalCommitted {
    std::uint64_t entries = 0;  // how many entries became durable with this commit
    std::vector<OutcomeRecorded> outcomes;
    std::vector<CampaignFigures> figures;  // of the campaigns that this commit touched
};

struct JournalFailed {  // final: nothing more will be recorded by this process
    Error error;
};

using JournalReport = std::variant<JournalCommitted, JournalFailed>;

// ---- Scheduler -> Sender
// -------------------------------------------------------------------------

struct OpenSession {
    SlotId slot = 0;
    std::string site;
    std::string host;  // MX host name, for TLS and for the record
    IpAddress address;
    std::uint16_t port = 25;
    std::string source;  // name
    std::optional<IpAddress> local_address;
    std::string ehlo_name;
    std::uint32_t in_flight_max =
        0;  // unanswered ends of data: 1 under uncertain: hold; 0: by the rung
    Rung rung_max = Rung::kChunkingAhead;    // what the host is known to handle
    std::shared_ptr<const TlsPolicy> tls{};  // null: never
};

struct CloseSession {
    SlotId slot = 0;  // politely: QUIT after what is in flight
};

using SenderOrder = std::variant<OpenSession, CloseSession, std::shared_ptr<const Lease>>;

// ---- Sender -> Scheduler
// -------------------------------------------------------------------------

struct SessionReady {
    SlotId slot = 0;
    bool tls = false;
    std::optional<std::uint64_t> mail_max{};    // RFC 9422: transactions on this session
    std::optional<std::uint64_t> domain_max{};  // and recipient domains
    Rung rung = Rung::kLockstep;                // how far ahead of the replies it writes
    TlsResult proof = TlsResult::kSuccess;      // what stood in the way of TLS that proves the peer
};

// It will start nothing more, of its own accord; what it was leased and had not started is back.
struct SessionEnding {
    SlotId slot = 0;
};

// Ended before it was ready: connect, greeting, EHLO, TLS. Never a recipient's fault.
struct SessionFailed {
    SlotId slot = 0;
    Stage stage = Stage::kConnect;
    Reply reply;  // code 0: none, text says what happened
    Category category = Category::kNone;
    Action action = Action::kNone;
    TlsResult tls = TlsResult::kSuccess;  // otherwise: why there is no TLS
};

// A ready session has ended. All its leases' recipients have been reported before.
struct SessionClosed {
    SlotId slot = 0;
    Stage stage = Stage::kNone;  // what it was waiting for
    Reply reply;                 // code 0 without one; 421 and its words if that ended it
    Category category = Category::kNone;
    Action action = Action::kNone;
    std::uint32_t messages = 0;  // transactions completed on it
    // The rung in use, if the peer lost its way on it, or may have.
    std::optional<Rung> mishandled{}, suspected{};
};

enum class AttemptEnd : std::uint8_t {
    kAccepted,   // 2yz to end of data
    kRefused,    // a reply of the recipient's or of its transaction's
    kUncertain,  // end of data written, no answer
    kReturned,   // not attempted
    kUnrendered  // the message could not be made; reply text says why
};

struct AttemptDone {
    std::uint64_t lease = 0;
    std::uint32_t recipient = 0;  // index in the lease
    AttemptEnd end = AttemptEnd::kReturned;
    bool begun = false;     // returned, but its commands were on the wire when the connection went
    AttemptRecord attempt;  // stage, reply, category, action, host, source, time
    Duration latency{0};    // MAIL written to final reply
};

using SenderReport =
    std::variant<SessionReady, SessionEnding, SessionFailed, SessionClosed, AttemptDone>;

// ---- Scheduler <-> Resolver
// ----------------------------------------------------------------------

struct ResolveDomain {
    std::string domain;
};

struct DomainResolved {
    std::string domain;
    MailHosts hosts;
    std::shared_ptr<const StsPolicy> sts{};       // RFC 8461; null: there is none
    TlsResult sts_failure = TlsResult::kSuccess;  // of fetching one
};

}  // namespace posthorn
