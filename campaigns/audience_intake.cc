#include "campaigns/audience_intake.h"

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
    OpenedList opened = open_list(campaign.recipients);
    if (!opened.reader) {
        fail(opened.fault);
        return;
    }
    reader_ = std::move(opened.reader);
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
        (!exclusions_.empty() && exclusions_.contains(address_))) {
        ++figures_.excluded;
        return true;
    }
    return hand_on(sink, row);
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
    const bool named = !row.name.empty() || row.email.find('<') == std::string_view::npos;
    AudienceRowWriter writer(row_, written_, named ? row.name : std::string_view(address_.name));
    for (const RowVariable& variable : row.variables) {
        if (variable.missing())
            writer.missing();
        else if (variable.is_json)
            writer.json(variable.bytes);
        else
            writer.text(variable.bytes);
    }
    const Status status = sink.add(address_.domain, address_.local, row_, row.number);
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
    }
    const Status status = rejects_.sync();
    if (!status) fail(status.error());
}

Result<IntakePosition> AudienceIntake::position() {
    RETURN_IF_ERROR(rejects_.sync());
    return IntakePosition{reader_ ? reader_->position() : ListPosition{}, figures_,
                          rejects_.bytes()};
}

}  // namespace posthorn
