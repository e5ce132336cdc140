#include "campaigns/audience_intake.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "campaigns/nearest_name.h"
#include "campaigns/template_value.h"
#include "engine/base/bytes.h"
#include "engine/queue/audience_row.h"

namespace posthorn {

namespace {

constexpr std::size_t kMaxRowErrors = 100;         // listed when rows may not be invalid
constexpr std::uint64_t kInvalidCheckRows = 1024;  // between two looks at the share of invalid rows
constexpr std::size_t kMaxSamples = 5;             // of rejected rows
constexpr std::size_t kMaxNameBytes = 512;         // of a display name

CampaignError list_error(CampaignErrorCode code, std::string message, std::string hint) {
    CampaignError error;
    error.path = "/recipients";
    error.code = code;
    error.message = std::move(message);
    error.hint = std::move(hint);
    return error;
}

CampaignError at_segment(const SegmentFault& fault) {
    CampaignError error;
    error.path = "/segment";
    error.code = fault.code;
    error.message = fault.message;
    error.hint = fault.hint;
    return error;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    const std::uint64_t tenths = whole == 0 ? 0 : part * 1000 / whole;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

}  // namespace

AudienceIntake::AudienceIntake(const Campaign& campaign, IntakeOptions options,
                               const std::optional<IntakePosition>& from)
    : campaign_(campaign), options_(std::move(options)) {
    if (auto fault = exclusions_.load(campaign.exclude)) {
        fail(*fault);
        return;
    }
    SegmentFault segment_fault;
    if (!campaign.segment.empty()) {
        std::optional<Segment> segment = Segment::parse(campaign.segment, segment_fault);
        if (!segment) {
            fail(at_segment(segment_fault));
            return;
        }
        segment_ = std::make_unique<SegmentFilter>(*std::move(segment), options_.now,
                                                   &campaign.vars, options_.history);
    }
    OpenedList opened = open_list(campaign.recipients);
    if (!opened.reader) {
        fail(opened.fault);
        return;
    }
    reader_ = std::move(opened.reader);
    if (campaign.recipients.format == ListFormat::kCsv && !priority_found()) return;
    if (from) {
        figures_ = from->figures;
        if (auto fault = reader_->resume(from->list)) {
            fail(*fault);
            return;
        }
    }
    if (options_.rejects_file.empty()) return;
    const Status status = rejects_.open(options_.rejects_file, from ? from->rejects_bytes : 0);
    if (!status) fail(status.error());
}

AudienceIntake::State AudienceIntake::fail(CampaignError error) {
    errors_.push_back(std::move(error));
    return state_ = State::kFailed;
}

AudienceIntake::State AudienceIntake::fail(const Error& error) {
    CampaignError fault = list_error(CampaignErrorCode::kListSyntax, error.message, "");
    if (error.kind == ErrorKind::kIo) fault.code = CampaignErrorCode::kFileMissing;
    return fail(std::move(fault));
}

const std::vector<std::string>& AudienceIntake::columns() const {
    static const std::vector<std::string> kNone;
    return reader_ ? reader_->columns() : kNone;
}

AudienceIntake::State AudienceIntake::read(AudienceSink& sink, std::uint64_t rows_max) {
    ListRow row;
    for (std::uint64_t count = 0; state_ == State::kReading && count < rows_max; ++count) {
        switch (reader_->next(row)) {
            case ListReader::Step::kEnd:
                finish();
                return state_;
            case ListReader::Step::kFault:
                return fail(reader_->fault());
            case ListReader::Step::kRow:
                if (!take_row(sink, row)) return state_;
        }
        if (figures_.rows % kInvalidCheckRows == 0 && beyond_invalid_limit()) finish();
    }
    return state_;
}

bool AudienceIntake::take_row(AudienceSink& sink, const ListRow& row) {
    ++figures_.rows;
    const std::string_view fault = row.fault.empty() ? parse(row) : row.fault;
    if (!fault.empty()) {
        reject(row, fault);
        return state_ == State::kReading;
    }
    if (options_.suppressed) {
        const Result<bool> suppressed = options_.suppressed(address_);
        if (!suppressed) {
            fail(suppressed.error());
            return false;
        }
        if (*suppressed) {
            ++figures_.suppressed;
            return true;
        }
    }
    const auto& limit = campaign_.recipients.limit;
    if ((limit && figures_.recipients >= *limit) ||
        (!exclusions_.empty() && exclusions_.contains(address_)) || !in_segment(row)) {
        ++figures_.excluded;
        return state_ == State::kReading;
    }
    return hand_on(sink, row);
}

bool AudienceIntake::in_segment(const ListRow& row) {
    if (segment_ == nullptr) return true;
    const auto matches =
        segment_->matches({address_, display_name(row), row.variables}, reader_->columns());
    if (!matches) fail(matches.error());
    return matches && *matches;
}

// An address in brackets brings its name along.
std::string_view AudienceIntake::display_name(const ListRow& row) const {
    const bool named = !row.name.empty() || row.email.find('<') == std::string_view::npos;
    return named ? row.name : std::string_view(address_.name);
}

// Noted as a fault when the list has no such column.
bool AudienceIntake::priority_found() {
    const std::string& wanted = campaign_.recipients.priority;
    if (wanted.empty()) return true;
    const auto& columns = reader_->columns();
    if (std::find(columns.begin(), columns.end(), wanted) != columns.end()) return true;
    CampaignError error =
        list_error(CampaignErrorCode::kListColumns, "the list has no column `" + wanted + "`", "");
    error.path = "/recipients/priority";
    const std::vector<std::string_view> known(columns.begin(), columns.end());
    const std::string_view near = nearest_name(wanted, known);
    error.hint = near.empty() ? "name a column that holds numbers"
                              : "did you mean `" + std::string(near) + "`?";
    fail(std::move(error));
    return false;
}

std::uint64_t AudienceIntake::rank_of(const ListRow& row) {
    const auto& columns = reader_->columns();
    if (!priority_column_) {
        const auto found = std::find(columns.begin(), columns.end(), campaign_.recipients.priority);
        if (found == columns.end()) return priority_rank({{}, true});
        priority_column_ = static_cast<std::size_t>(found - columns.begin());
    }
    return priority_rank(row.variables[*priority_column_]);
}

// Empty, or why the row has no address.
std::string_view AudienceIntake::parse(const ListRow& row) {
    const bool decorated = row.email.find('<') != std::string_view::npos;
    const AddressFault fault =
        decorated ? parse_mailbox(row.email, address_) : parse_address(row.email, address_);
    if (fault != AddressFault::kNone) return reason(fault);
    if (row.name.size() > kMaxNameBytes) return "name longer than 512 bytes";
    return {};
}

bool AudienceIntake::hand_on(AudienceSink& sink, const ListRow& row) {
    written_.clear();
    address_.append_to(written_);
    row_.clear();
    AudienceRowWriter writer(row_, written_, display_name(row));
    for (const RowVariable& variable : row.variables) {
        if (variable.missing())
            writer.missing();
        else if (variable.is_json)
            writer.json(variable.bytes);
        else
            writer.text(variable.bytes);
    }
    const Status status =
        campaign_.recipients.priority.empty()
            ? sink.add(address_.domain, address_.local, row_, row.number)
            : sink.add_ranked(address_.domain, address_.local, row_, row.number, rank_of(row));
    if (!status) {
        fail(status.error());
        return false;
    }
    ++figures_.recipients;
    return true;
}

void AudienceIntake::reject(const ListRow& row, std::string_view reason) {
    ++figures_.invalid;
    rejects_.add(row.number, row.line, row.email, reason);
    const bool skips = campaign_.recipients.invalid == InvalidRows::kSkip;
    if (skips && rejected_samples_.size() >= kMaxSamples) return;
    std::string words = "row " + std::to_string(row.number) + ": '" +
                        std::string(row.email.substr(0, 100)) + "': " + std::string(reason);
    if (rejected_samples_.size() < kMaxSamples) rejected_samples_.push_back(words);
    if (skips) return;
    CampaignError error = list_error(CampaignErrorCode::kBadAddress, std::move(words),
                                     "correct it, or set \"invalid\": \"skip\"");
    error.file = campaign_.recipients.file;
    error.line = static_cast<std::uint32_t>(row.line);
    error.column = 1;
    errors_.push_back(std::move(error));
    if (errors_.size() >= kMaxRowErrors) state_ = State::kFailed;
}

// Before the end only when the rest, were it all valid, could no longer make up for it.
bool AudienceIntake::beyond_invalid_limit() const {
    const RecipientList& list = campaign_.recipients;
    if (figures_.rows == 0) return false;
    double rows = static_cast<double>(figures_.rows);
    if (state_ == State::kReading) {
        if (list.gzip) return false;
        ListReader& reader = *reader_;
        rows *= static_cast<double>(reader.bytes()) / static_cast<double>(reader.offset());
    }
    return static_cast<double>(figures_.invalid) * 100 > list.max_invalid_percent * rows;
}

void AudienceIntake::finish() {
    const bool early = beyond_invalid_limit();
    state_ = State::kDone;
    if (!errors_.empty()) {
        state_ = State::kFailed;
    } else if (early || beyond_invalid_limit()) {
        fail(list_error(CampaignErrorCode::kTooManyInvalid,
                        std::to_string(figures_.invalid) + " of " + std::to_string(figures_.rows) +
                            " rows are invalid (" + percent(figures_.invalid, figures_.rows) + ")",
                        options_.rejects_file.empty()
                            ? "correct the list, or raise `max_invalid_percent`"
                            : "see " + options_.rejects_file +
                                  "; correct the list, or raise `max_invalid_percent`"));
    } else if (figures_.rows == 0 || figures_.invalid == figures_.rows) {
        fail(list_error(CampaignErrorCode::kRecipientsEmpty, "the list has no recipient",
                        "check the list and its `columns`"));
    } else if (!priority_found()) {
        return;
    }
    const Status status = rejects_.sync();
    if (!status) fail(status.error());
}

// Numbers sort as the bits of their doubles once negative ones are turned over.
std::uint64_t priority_rank(const RowVariable& priority) {
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    std::string scratch;
    std::string_view text = priority.is_json ? printed(priority, scratch) : priority.bytes;
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = !text.empty() && code == std::errc() && end == text.data() + text.size();
    if (!whole || std::isnan(number)) return ~std::uint64_t{0};
    const auto bits = std::bit_cast<std::uint64_t>(number + 0.0);  // -0 is 0
    return ~((bits & kSign) != 0 ? ~bits : bits | kSign);
}

Result<IntakePosition> AudienceIntake::position() {
    RETURN_IF_ERROR(rejects_.sync());
    return IntakePosition{reader_ ? reader_->position() : ListPosition{}, figures_,
                          rejects_.bytes()};
}

}  // namespace posthorn
