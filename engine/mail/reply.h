// An SMTP reply (RFC 5321 section 4.2) with its enhanced status code (RFC 3463, RFC 2034), and the
// words in which Posthorn speaks of one: the stage it answered, its category, the action that
// follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn {

// "5.1.1": class, subject, detail. Class is 2, 4 or 5; the others at most 999.
struct EnhancedCode {
    std::uint16_t klass = 0;
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;

    friend bool operator==(const EnhancedCode&, const EnhancedCode&) = default;
};

std::string to_string(EnhancedCode code);

// Reads "x.y.z" at the front of text, followed by a space or the end; nullopt if it is not there.
std::optional<EnhancedCode> parse_enhanced_code(std::string_view text);

struct Reply {
    std::uint16_t code = 0;                // 200..599
    std::optional<EnhancedCode> enhanced;  // of the first line that has one
    std::string text;                      // all lines without codes, joined by "\n"

    bool positive() const { return code >= 200 && code < 300; }
    bool intermediate() const { return code >= 300 && code < 400; }
    bool transient() const { return code >= 400 && code < 500; }
    bool permanent() const { return code >= 500 && code < 600; }

    friend bool operator==(const Reply&, const Reply&) = default;
};

// "550 5.1.1 text on one line", as logs and reports show it; control characters are escaped as
// \xNN.
std::string to_string(const Reply& reply);

// What was being done when a reply came, or when none did. Names are those of logs, JSON and
// profiles.
enum class Stage : std::uint8_t {
    kNone,
    kDns,
    kConnect,
    kEhlo,
    kStartTls,
    kAuth,
    kMail,
    kRcpt,
    kData,
    kDot,
    kQuit
};

// Names and their order are stored and shown; add at the end.
enum class Category : std::uint8_t {
    kNone,  // accepted, or nothing said yet
    kInvalidMailbox,
    kInactiveMailbox,
    kInvalidDomain,
    kMoved,
    kMailboxFull,
    kMessageTooLarge,
    kContentRejected,
    kVirus,
    kSpamContent,
    kReputation,
    kPolicy,
    kAuthentication,
    kRelaying,
    kRateLimited,
    kGreylisted,
    kRecipientsLimit,
    kTemporary,
    kNetwork,
    kProtocol,
    kTls,
    kAutoReply,
    kChallenge,
    kUnknown
};
inline constexpr std::uint8_t kCategoryCount = static_cast<std::uint8_t>(Category::kUnknown) + 1;

enum class Action : std::uint8_t {
    kNone,      // accepted
    kSuppress,  // bounce, and suppress the address
    kDrop,      // bounce for this campaign
    kRetry,     // later
    kSlow,      // later, and the site asks for less
    kStop       // later; hold the source at the site, tell the operator
};

std::string_view name_of(Stage stage);        // "rcpt"
std::string_view name_of(Category category);  // "invalid_mailbox"
std::string_view name_of(Action action);      // "suppress"
std::optional<Stage> parse_stage(std::string_view name);
std::optional<Category> parse_category(std::string_view name);

// The table of categories and actions: what follows from a category, for a permanent (5yz) or
// transient reply. kNone for kNone.
Action action_for(Category category, bool permanent);

}  // namespace posthorn
