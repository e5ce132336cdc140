// The way of a list into an audience: rows are read, addresses parsed and checked, suppressed and
// excluded ones and those outside the segment left out, and the rest handed on as audience rows.
// Every row is counted exactly once: rows = invalid + duplicate + suppressed + excluded +
// recipients, where the sink alone knows the duplicates. Goes on where it stood after a restart,
// and refuses a list that has changed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/list_exclusions.h"
#include "campaigns/list_reader.h"
#include "campaigns/list_rejects.h"
#include "campaigns/segment.h"
#include "engine/base/result.h"
#include "engine/queue/model.h"

namespace posthorn {

// Where recipients go. Views are good for the call only.
class AudienceSink {
  public:
    virtual ~AudienceSink() = default;

    // Domain in A-labels and lower case, local part as written, an AudienceRow, the number of the
    // list's row: of two equal addresses the earlier row wins.
    virtual Status add(std::string_view domain, std::string_view local, std::string_view row,
                       std::uint64_t row_number) = 0;

    // The same of a campaign with priorities; lower ranks go first within a domain.
    virtual Status add_ranked(std::string_view domain, std::string_view local, std::string_view row,
                              std::uint64_t row_number, std::uint64_t rank) {
        static_cast<void>(rank);
        return add(domain, local, row, row_number);
    }
};

struct IntakeOptions {
    std::string rejects_file;                                // path; empty: none is written
    std::function<Result<bool>(const Address&)> suppressed;  // empty: nobody is
    WallTime now;                                            // of the segment's now()
    SegmentHistory* history = nullptr;                       // null: nothing was sent before
};

// Where an intake stands. Rows before it were handed to the sink.
struct IntakePosition {
    ListPosition list;
    AudienceFigures figures;  // recipients: handed on, duplicates among them
    std::uint64_t rejects_bytes = 0;

    std::string encode() const;
    static std::optional<IntakePosition> decode(std::string_view bytes);
    friend bool operator==(const IntakePosition&, const IntakePosition&) = default;
};

class AudienceIntake {
  public:
    enum class State : std::uint8_t { kReading, kDone, kFailed };

    // The campaign outlives the intake. After an error state() is kFailed.
    AudienceIntake(const Campaign& campaign, IntakeOptions options,
                   const std::optional<IntakePosition>& from = std::nullopt);

    // Reads at most so many rows.
    State read(AudienceSink& sink, std::uint64_t rows_max);

    State state() const { return state_; }
    const AudienceFigures& figures() const { return figures_; }
    const std::vector<std::string>& columns() const;  // complete once done
    const std::vector<CampaignError>& errors() const { return errors_; }

    // The first rejected rows, for a person: "row 3: 'ann at x.test': no @".
    const std::vector<std::string>& rejected_samples() const { return rejected_samples_; }

    // Rejects are synced first.
    Result<IntakePosition> position();

    // Of the part of the list that was read; what a later run compares.
    std::string list_digest();

  private:
    State fail(CampaignError error);
    State fail(const Error& error);
    bool take_row(AudienceSink& sink, const ListRow& row);
    std::string_view parse(const ListRow& row);
    std::string_view display_name(const ListRow& row) const;
    bool in_segment(const ListRow& row);
    std::uint64_t rank_of(const ListRow& row);
    bool hand_on(AudienceSink& sink, const ListRow& row);
    void reject(const ListRow& row, std::string_view reason);
    bool beyond_invalid_limit() const;
    void finish();
    bool priority_found();

    const Campaign& campaign_;
    IntakeOptions options_;
    std::unique_ptr<ListReader> reader_;
    ListExclusions exclusions_;
    ListRejects rejects_;
    std::unique_ptr<SegmentFilter> segment_;      // null: everybody
    std::optional<std::size_t> priority_column_;  // once known
    AudienceFigures figures_;
    std::vector<CampaignError> errors_;
    std::vector<std::string> rejected_samples_;
    State state_ = State::kReading;
    Address address_;      // of the row being taken
    std::string written_;  // the same, printed
    std::string row_;      // the same, encoded
};

// Orders numbers, the highest first; what is no number comes last.
std::uint64_t priority_rank(const RowVariable& priority);

// Whether the first bytes of a campaign's list still are what list_digest() was made of.
Result<bool> list_matches(const RecipientList& list, std::string_view digest);

}  // namespace posthorn
