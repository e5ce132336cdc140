// A campaign as its file describes it, every default filled in: plain values, made by
// campaign_file.h from the file and by campaign_definition.h from the store. Strings named as
// templates are not compiled yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "campaigns/attachment.h"
#include "campaigns/message.h"
#include "campaigns/schedule.h"
#include "engine/delivery/campaign_plan.h"
#include "engine/mail/address.h"

namespace posthorn {

enum class TextSource : std::uint8_t { kNone, kAuto, kGiven };  // auto: made from the HTML
enum class ListFormat : std::uint8_t { kCsv, kNdjson };
enum class InvalidRows : std::uint8_t { kSkip, kError };

// Text from the campaign file or from a file beside it, stored once under its SHA-256.
struct Content {
    std::string file;    // absolute path; empty: written in the campaign file
    std::string bytes;   // empty after a restart until fetched from the store by the hash
    std::string sha256;  // lower-case hex; empty: there is no such content

    bool present() const { return !sha256.empty(); }
    friend bool operator==(const Content&, const Content&) = default;
};

struct Partial {
    std::string name;
    Content content;

    friend bool operator==(const Partial&, const Partial&) = default;
};

// A file that every recipient gets.
struct Attachment {
    Content content;
    std::string name;        // for recipients
    std::string media_type;  // "image/png"
    std::string cid;         // without brackets; empty: none
    bool is_inline = false;

    friend bool operator==(const Attachment&, const Attachment&) = default;
};

struct RecipientList {
    std::string file;     // absolute path; empty: inline
    Content inline_rows;  // inline recipients as NDJSON: email, name, vars
    ListFormat format = ListFormat::kCsv;
    bool gzip = false;
    std::string email_column;  // empty: the column named email, in any case
    std::string name_column;   // empty: the column named name, if there is one
    char delimiter = 0;        // 0: found out from the header row
    InvalidRows invalid = InvalidRows::kSkip;
    double max_invalid_percent = 10;
    std::optional<std::uint64_t> limit;
    std::string priority;  // the column whose higher values are sent first; empty: none

    friend bool operator==(const RecipientList&, const RecipientList&) = default;
};

// Recipients to leave out. Lists are read like the recipients' own: an email column, or one address
// a line.
struct Exclusions {
    std::vector<Content> lists;          // bytes stay empty: read when the audience is
    std::vector<std::string> domains;    // of "*@domain", A-labels
    std::vector<std::string> addresses;  // local@domain, parsed and printed

    bool empty() const { return lists.empty() && domains.empty() && addresses.empty(); }
    friend bool operator==(const Exclusions&, const Exclusions&) = default;
};

// One DKIM signature of every message. The key itself stays in its file.
struct DkimSignature {
    std::string domain;  // A-labels
    std::string selector;
    std::string key_file;  // absolute path

    friend bool operator==(const DkimSignature&, const DkimSignature&) = default;
};

struct Compliance {
    std::string physical_address;
    Unsubscribe unsubscribe;
    std::string list_id;  // default: id.from-domain
    FooterPolicy footer = FooterPolicy::kAuto;
};

// What some of the recipients get instead. Absent members are the campaign's.
struct Variant {
    std::string name;
    double weight = 1;
    std::optional<Address> from;
    std::optional<std::string> subject, preheader;
    Content html;
    std::optional<TextSource> text_source;
    Content text;
    std::vector<TemplateConstant> vars;  // over the campaign's, by name, ascending

    friend bool operator==(const Variant&, const Variant&) = default;
};

struct Campaign {
    std::string id;
    std::string name;
    CampaignKind kind = CampaignKind::kMarketing;
    Address from;
    std::optional<Address> reply_to;
    std::optional<Address> return_path;       // none: signed VERP on the bounce domain, else From
    std::string to_name, subject, preheader;  // templates
    Content html;                             // template
    TextSource text_source = TextSource::kNone;
    Content text;  // template, when text_source is kGiven
    MissingPolicy missing = MissingPolicy::kError;
    std::vector<Partial> partials;       // by name, ascending
    std::vector<TemplateConstant> vars;  // defaults under the recipients' own, by name, ascending
    RecipientList recipients;
    std::string segment;  // who of the list gets it; empty: everybody
    Exclusions exclude;
    std::vector<Variant> variants;
    CampaignSchedule schedule;
    std::vector<std::pair<std::string, std::string>> headers;  // name, template; in file order
    std::vector<Attachment> attachments;                       // in file order
    Throttle throttle;
    RetryPolicy retry;
    Compliance compliance;
    std::vector<DkimSignature> dkim;  // in file order
    std::vector<std::string> tags;
    std::string metadata = "{}";  // one JSON object
};

}  // namespace posthorn
