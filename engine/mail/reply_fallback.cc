#include "engine/mail/reply_fallback.h"

#include <array>
#include <optional>

namespace posthorn {

namespace {

struct EnhancedRow {
    std::uint16_t subject;
    std::uint16_t detail_low;
    std::uint16_t detail_high;
    Category category;
};

constexpr std::uint16_t kAny = 999;

// The IANA registry of enhanced status codes, and the ranges Exchange Online adds. The first row
// that covers a code decides. Codes that say nothing (x.0.0, 5.2.0, 5.3.0) are left to the reply
// code.
constexpr std::array<EnhancedRow, 54> kEnhanced = {{
    {1, 1, 1, Category::kInvalidMailbox},       // bad destination mailbox address
    {1, 2, 2, Category::kInvalidDomain},        // bad destination system address
    {1, 3, 3, Category::kInvalidMailbox},       // bad destination mailbox address syntax
    {1, 4, 4, Category::kPolicy},               // ambiguous: the mailbox may exist
    {1, 6, 6, Category::kMoved},                // has moved, no forwarding address
    {1, 7, 8, Category::kAuthentication},       // bad sender's mailbox, bad sender's system
    {1, 9, 9, Category::kProtocol},             // relayed to non-compliant mailer
    {1, 10, 10, Category::kInvalidDomain},      // recipient address has null MX
    {1, 90, 90, Category::kRateLimited},        // Exchange: sending limit
    {2, 1, 1, Category::kInactiveMailbox},      // mailbox disabled
    {2, 2, 2, Category::kMailboxFull},          // mailbox full
    {2, 3, 3, Category::kMessageTooLarge},      // message exceeds administrative limit
    {2, 4, 4, Category::kPolicy},               // mailing list expansion problem
    {3, 1, 2, Category::kTemporary},            // mail system full; not accepting messages
    {3, 3, 3, Category::kProtocol},             // not capable of selected features
    {3, 4, 4, Category::kMessageTooLarge},      // message too big for system
    {3, 5, 5, Category::kTemporary},            // system incorrectly configured
    {3, 6, 6, Category::kTemporary},            // requested priority was changed
    {4, 0, 3, Category::kNetwork},              // no answer, bad connection, directory failure
    {4, 4, 4, Category::kNetwork},              // unable to route
    {4, 5, 5, Category::kRateLimited},          // mail system congestion
    {4, 6, 8, Category::kNetwork},              // routing loop, expired
    {4, 310, 312, Category::kNetwork},          // Exchange: DNS
    {4, 316, 317, Category::kNetwork},          // Exchange: expired, cannot connect
    {5, 0, 2, Category::kProtocol},             // protocol, invalid command, syntax
    {5, 3, 3, Category::kRecipientsLimit},      // too many recipients
    {5, 4, 6, Category::kProtocol},             // invalid arguments, version, AUTH lines
    {6, 0, 4, Category::kContentRejected},      // media not supported, conversion
    {6, 5, 5, Category::kContentRejected},      // conversion failed
    {6, 6, 6, Category::kContentRejected},      // content not available
    {6, 7, 10, Category::kProtocol},            // non-ASCII addresses
    {6, 11, kAny, Category::kContentRejected},  // Exchange: invalid characters
    {7, 0, 3, Category::kPolicy},               // not authorised, list expansion, conversion
    {7, 4, 6, Category::kPolicy},               // security features, cryptography
    {7, 7, 7, Category::kContentRejected},      // message integrity failure
    {7, 8, 9, Category::kPolicy},               // credentials
    {7, 10, 12, Category::kTls},                // encryption needed
    {7, 13, 13, Category::kPolicy},             // user account disabled (the client's)
    {7, 14, 14, Category::kPolicy},             // trust relationship required
    {7, 15, 16, Category::kPolicy},             // priority too low, message too big for it
    {7, 17, 19, Category::kPolicy},             // RFC 7293: the mailbox changed hands
    {7, 20, 24, Category::kAuthentication},     // DKIM, SPF
    {7, 25, 27, Category::kAuthentication},     // reverse DNS, multiple checks, null MX of sender
    {7, 28, 28, Category::kRateLimited},        // mail flood detected
    {7, 29, 29, Category::kAuthentication},     // ARC validation
    {7, 30, 30, Category::kTls},                // REQUIRETLS needed
    {7, 31, 40, Category::kAuthentication},     // Gmail: alignment of From
    {7, 57, 57, Category::kPolicy},             // Exchange: client not authenticated
    {7, 64, 64, Category::kRelaying},           // Exchange: relay access denied
    {7, 500, 501, Category::kSpamContent},      // Exchange: spam abuse
    {7, 502, 511, Category::kReputation},       // Exchange: banned sender
    {7, 512, 599, Category::kPolicy},           // Exchange: not compliant
    {7, 600, 699, Category::kReputation},       // Exchange: banned sending address
    {7, 0, kAny, Category::kPolicy},            // any other matter of security or policy
}};

std::optional<Category> by_enhanced(EnhancedCode code) {
    for (const EnhancedRow& row : kEnhanced)
        if (row.subject == code.subject && code.detail >= row.detail_low &&
            code.detail <= row.detail_high)
            return row.category;
    return std::nullopt;
}

// When only the address and the name of the client are known.
bool before_mail(Stage stage) { return stage == Stage::kConnect || stage == Stage::kEhlo; }

bool about_recipient(Stage stage) { return stage == Stage::kRcpt; }

Category by_552(Stage stage) {
    if (about_recipient(stage)) return Category::kRecipientsLimit;  // RFC 5321 4.5.3.1.10
    return stage == Stage::kNone ? Category::kMailboxFull : Category::kMessageTooLarge;
}

Category by_553(Stage stage) {
    if (about_recipient(stage)) return Category::kInvalidMailbox;  // mailbox name not allowed
    return stage == Stage::kMail ? Category::kAuthentication : Category::kPolicy;
}

Category permanent(Stage stage, std::uint16_t code) {
    switch (code) {
        case 500:
        case 501:
        case 502:
        case 503:
        case 504:
        case 555:
            return Category::kProtocol;
        case 510:
        case 511:
        case 515:
            return about_recipient(stage) ? Category::kInvalidMailbox : Category::kPolicy;
        case 512:
        case 556:
            return about_recipient(stage) ? Category::kInvalidDomain : Category::kPolicy;
        case 522:
            return Category::kMailboxFull;
        case 523:
            return Category::kMessageTooLarge;
        case 538:
            return Category::kTls;
        case 551:
            return about_recipient(stage) ? Category::kInvalidMailbox : Category::kPolicy;
        case 552:
            return by_552(stage);
        case 553:
            return by_553(stage);
        default:
            if (before_mail(stage)) return Category::kReputation;
            return stage == Stage::kStartTls ? Category::kTls : Category::kPolicy;
    }
}

Category transient(Stage stage, std::uint16_t code) {
    if (stage == Stage::kStartTls) return Category::kTls;
    if (code == 452 && about_recipient(stage)) return Category::kRecipientsLimit;
    if (code == 454) return Category::kTls;
    if (code == 455) return Category::kProtocol;
    return Category::kTemporary;
}

}  // namespace

FallbackMeaning meaning_of_codes(Stage stage, const Reply& reply,
                                 std::optional<EnhancedCode> enhanced) {
    if (enhanced)
        if (const auto category = by_enhanced(*enhanced)) return {*category, "enhanced-code"};
    if (reply.permanent()) return {permanent(stage, reply.code), "reply-code"};
    if (reply.transient()) return {transient(stage, reply.code), "reply-code"};
    return {Category::kUnknown, "none"};
}

}  // namespace posthorn
