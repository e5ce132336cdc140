// Reads the recipients of a list, row by row, from CSV or NDJSON of any size: nothing is allocated
// per row in steady state. A row that cannot be read is given with its fault and reading goes on; a
// list that cannot be read further ends with one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/list_input.h"
#include "engine/queue/audience_row.h"

namespace posthorn {

inline constexpr std::size_t kMaxListColumns = 1000;
inline constexpr std::size_t kMaxListFieldBytes = 256 * 1024;

// Views live until the next row is read.
struct ListRow {
    std::uint64_t number = 0;  // from 1, without the header
    std::uint64_t line = 0;    // of the file, from 1, at which the row begins
    std::string_view email;    // as given
    std::string_view name;
    std::span<const RowVariable> variables;  // by position in columns()
    std::string_view fault;                  // why the row cannot be used; empty: it can
};

// Where reading stands, for going on after a restart.
struct ListPosition {
    std::uint64_t offset = 0;  // bytes consumed, uncompressed
    std::uint64_t prefix_hash = 0;
    std::uint64_t rows = 0;
    std::uint64_t lines = 0;
    ListIdentity identity;
    std::vector<std::string> columns;

    friend bool operator==(const ListPosition&, const ListPosition&) = default;
};

class ListReader {
  public:
    enum class Step : std::uint8_t { kRow, kEnd, kFault };

    virtual ~ListReader() = default;

    virtual Step next(ListRow& row) = 0;

    // Names of the variables. NDJSON adds to them as it meets new keys; positions never change.
    const std::vector<std::string>& columns() const { return columns_; }
    const CampaignError& fault() const { return fault_; }             // after kFault
    ListPosition position();                                          // after the last row read
    std::uint64_t offset() const { return input_->offset(); }         // bytes consumed
    std::uint64_t bytes() const { return input_->identity().bytes; }  // of the file as it is

    // Reads on where another reader stood. A fault when the list is no longer the same.
    std::optional<CampaignError> resume(const ListPosition& position);

  protected:
    ListReader(std::unique_ptr<ListInput> input, std::string file)
        : input_(std::move(input)), file_(std::move(file)) {}

    Step fail(CampaignErrorCode code, std::string message, std::string hint, std::uint64_t line);
    bool fill();  // false: the fault is noted
    virtual void columns_restored() {}

    std::unique_ptr<ListInput> input_;
    std::string file_;  // for faults
    std::vector<std::string> columns_;
    std::uint64_t rows_ = 0;
    std::uint64_t lines_ = 0;  // consumed
    CampaignError fault_;
};

// Either a reader, or why the list cannot be read.
struct OpenedList {
    std::unique_ptr<ListReader> reader;
    CampaignError fault;
};
OpenedList open_list(const RecipientList& list);  // inline_rows outlive the reader

// A list of addresses to leave out: email column or, without a header, one address a line.
OpenedList open_exclusion_list(const std::string& path);

}  // namespace posthorn
