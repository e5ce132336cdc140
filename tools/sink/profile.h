// What the simulated internet is like: a list of entries, of which a domain gets the first that
// matches. As read from a profile file or preset; never changed afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/base/units.h"
#include "engine/mail/reply.h"

namespace posthorn::sink {

enum class DnsMode : std::uint8_t {
    kOk,
    kNxDomain,
    kNullMx,
    kServFail,
    kTimeout,  // never answers
    kLoop,     // aliases in a circle
    kCname     // the domain is an alias of cname.DOMAIN, which has the MX
};

enum class TlsMode : std::uint8_t {
    kOff,
    kSelfSigned,
    kValid,  // by the test authority that --ca writes, for the MX host's name
    kExpired,
    kWrongName,
    kBroken  // 220, then bytes that are no handshake
};

// TLSA records, and the AD bit of every answer unless kOff.
enum class Dane : std::uint8_t { kOff, kOk, kWrong, kMissing, kServFail };

enum class FaultKind : std::uint8_t {
    kReset,    // the connection, in place of a reply
    kClose,    // in place of a reply
    kStall,    // never replies again
    kTarpit,   // replies after delay
    kDrip,     // replies octet by octet, a delay between them
    kGarbage,  // a line that is no reply, before the reply
    kEarly,    // the next command's positive reply comes with this one, and not again
    kExtra,    // a reply nobody asked for, after the reply
    kAfterDot  // accepts the message, then drops the connection before replying
};

// Where a reply or a fault can be: the stages of a session that the sink is asked about, and the
// body between 354 and the dot.
enum class Place : std::uint8_t { kConnect, kEhlo, kStartTls, kMail, kRcpt, kData, kDot, kBody };
inline constexpr std::size_t kPlaceCount = 8;
std::string_view name_of(Place place);

struct ReplyRule {
    Place place = Place::kRcpt;
    double share = 1;
    Reply reply;
    bool close = false;
    bool sticky = false;     // decided by the recipient, once and for all
    bool has_holes = false;  // {recipient} {domain} {host} in the text
};

struct Limits {
    std::uint32_t connections = 0;  // at once; 0: no limit, here and below
    std::uint32_t messages_per_connection = 0;
    std::optional<Rate> rate;  // of recipients asked for
    std::uint64_t burst = 0;   // at least one
    Reply over{421, EnhancedCode{4, 7, 0}, "Too many messages or connections, try again later"};
    Duration penalty{0};  // from the first one over, all is refused

    friend bool operator==(const Limits&, const Limits&) = default;
};

struct Fault {
    FaultKind kind = FaultKind::kReset;
    Place place = Place::kBody;
    double share = 1;
    Duration delay{0};
};

struct LatencyRange {
    Duration low{0};
    Duration high{0};
};

// From a time on, what is given here holds in place of what the entry says.
struct Change {
    Duration after{0};
    std::optional<Limits> limits;
    std::optional<std::vector<ReplyRule>> replies;
    std::optional<LatencyRange> latency;
};

struct Entry {
    std::string match = "*";  // exact, "*.suffix" or "*"; lower case
    double share = 1;         // of the domains that match and come this far
    std::string provider;     // limits and counts are shared by all of one; empty: by domain
    std::vector<std::string> mx{"mx.{domain}"};
    std::uint32_t dead_mx = 0;  // so many, from the front, cannot be connected to
    DnsMode dns = DnsMode::kOk;
    Dane dane = Dane::kOff;
    std::string sts;  // id of the MTA-STS record; empty: none
    std::uint32_t ttl_s = 300;
    std::vector<std::string> offers;
    TlsMode tls = TlsMode::kOff;
    LatencyRange latency;
    std::vector<ReplyRule> replies;
    Duration greylist{0};
    Limits limits;
    std::vector<Change> changes;  // by time
    std::vector<Fault> faults;
};

struct Profile {
    std::vector<Entry> entries;  // the last matches everything
};

// One fault per line: place as JSON pointer, what is wrong and, for an unknown name, the nearest.
Result<Profile> parse_profile(std::string_view json, std::string_view file_name);

// A preset by name, or the file of that name.
Result<Profile> load_profile(const std::string& name_or_file);
std::vector<std::string_view> preset_names();
std::optional<std::string_view> preset_text(std::string_view name);

}  // namespace posthorn::sink
