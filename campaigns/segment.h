// Segments: a condition on one recipient that says who of a list gets a campaign. Compiled once,
// bounded in size and depth, and asked for millions of rows: by the import, by `check --count` and
// by reports alike. Reads no clock and no file; what was sent before comes through a port.
//
//   condition  := and ("or" and)*                  and := not ("and" not)*
//   not        := "not" not | comparison | "(" condition ")"
//   comparison := value (op value)?                op  := == != < <= > >= ~ in, not in, contains,
//                                                         startswith, endswith
//               | exists(field) | empty(field) | sent('id') | bounced('id')
//               | bucket(n, of, 'salt')            n-th of so many equal parts, by hash
//   value      := field | 'text' | "text" | number | true | false | null | now() | days_ago(n)
//               | [value, …]                       behind `in` alone
//   field      := email | domain | name | tags | vars.PATH | vars['any name'].PATH
//
// A missing value is null: equal to null alone, neither less nor greater than anything. Next to a
// number, truth value or time, text of a list is read as one, and is null when it is none. `~` is a
// regular expression of RE2 that matches anywhere. `tags` is the list's column tags: a JSON array,
// or words between commas, semicolons or bars. Addresses compare in lower case.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign_errors.h"
#include "campaigns/template.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/mail/address.h"
#include "engine/queue/audience_row.h"

namespace posthorn {

inline constexpr std::size_t kSegmentBytesMax = 64 * 1024;
inline constexpr std::size_t kSegmentNodesMax = 10'000;  // conditions and values, lists included
inline constexpr std::size_t kSegmentDepthMax = 64;      // of parentheses and `not`
inline constexpr std::size_t kSegmentPatternBytesMax = 1024;

struct SegmentFault {
    std::size_t offset = 0;  // in the segment's text
    CampaignErrorCode code = CampaignErrorCode::kSegmentSyntax;
    std::string message;
    std::string hint;
};

// "vars.a.b", and where it stands.
struct SegmentField {
    std::vector<std::string> path;  // without "vars"
    std::size_t offset = 0;

    std::string name() const;  // "vars.a.b"
};

struct SegmentProgram;  // segment_program.h

class Segment {
  public:
    // Nothing, and the fault filled in, for text that is no segment.
    static std::optional<Segment> parse(std::string_view text, SegmentFault& fault);

    const std::vector<SegmentField>& fields() const;

    // Campaigns named by sent() and bounced().
    struct PastCampaign {
        std::string id;
        std::size_t offset = 0;
    };
    const std::vector<PastCampaign>& past_campaigns() const;

    const SegmentProgram& program() const { return *program_; }

  private:
    explicit Segment(std::shared_ptr<const SegmentProgram> program)
        : program_(std::move(program)) {}

    std::shared_ptr<const SegmentProgram> program_;
};

// What became of an address in an earlier campaign.
enum class PastOutcome : std::uint8_t { kNone, kSent, kBounced };
class SegmentHistory {
  public:
    virtual ~SegmentHistory() = default;
    virtual Result<bool> knows(std::string_view campaign_id) = 0;
    virtual Result<PastOutcome> outcome(std::string_view campaign_id, const Address& address) = 0;
};

struct SegmentRecipient {
    const Address& address;
    std::string_view name;
    std::span<const RowVariable> variables;  // by position in the columns
};

// Asks one segment about recipients, one thread at a time.
class SegmentFilter {
  public:
    // History may be null: then nothing was ever sent. Constants stand under the columns, and both
    // outlive the filter.
    SegmentFilter(Segment segment, WallTime now, const std::vector<TemplateConstant>* constants,
                  SegmentHistory* history);
    ~SegmentFilter();

    // An error is the history's.
    Result<bool> matches(const SegmentRecipient& recipient,
                         const std::vector<std::string>& columns);

    // Fields that are neither a column nor a constant.
    std::vector<SegmentField> unknown(const std::vector<std::string>& columns);

    const Segment& segment() const { return segment_; }

  private:
    class Run;

    Segment segment_;
    std::unique_ptr<Run> run_;
};

// Of a field that a list does not have: the known one that was probably meant.
std::string segment_field_hint(const SegmentField& field, const std::vector<std::string>& columns,
                               const std::vector<TemplateConstant>& constants);

}  // namespace posthorn
