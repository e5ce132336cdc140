#include "tools/posthorn/recipient_walk.h"

#include "campaigns/campaign_definition.h"
#include "campaigns/json_position.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

Error damaged_row() { return {ErrorKind::kCorrupt, "a recipient's row cannot be read"}; }

Error at(std::string_view text, std::size_t offset, const std::string& message,
         const std::string& hint) {
    const LineColumn place = line_column(text, offset);
    return {ErrorKind::kInvalid, "segment:" + std::to_string(place.line) + ":" +
                                     std::to_string(place.column) + ": " + message +
                                     (hint.empty() ? "" : "; " + hint)};
}

}  // namespace

RecipientWalk::RecipientWalk(const Store& store, const std::string& prefix)
    : audience_(store.cursor(Family::kAudience, prefix, prefix_end(prefix))),
      outcomes_(store.cursor(Family::kOutcome, prefix, prefix_end(prefix))) {
    audience_->seek(prefix);
    outcomes_->seek(prefix);
    look();
}

void RecipientWalk::next() {
    if (in_audience_) audience_->next();
    if (has_outcome_) outcomes_->next();
    look();
}

Status RecipientWalk::status() const {
    RETURN_IF_ERROR(audience_->status());
    return outcomes_->status();
}

void RecipientWalk::look() {
    key_.clear();
    const bool audience = audience_->valid();
    const bool outcome = outcomes_->valid();
    in_audience_ = audience && (!outcome || audience_->key() <= outcomes_->key());
    has_outcome_ = outcome && (!audience || outcomes_->key() <= audience_->key());
    if (in_audience_)
        key_ = audience_->key();
    else if (has_outcome_)
        key_ = outcomes_->key();
}

Result<OutcomeState> RecipientWalk::state() const {
    if (!has_outcome_) return OutcomeState::kPending;
    const auto head = decode_outcome_head(outcomes_->value());
    if (!head) return head.error();
    return head->state;
}

Result<std::string> RecipientWalk::address() const {
    const auto parsed = parse_audience_key(key_);
    const auto folded = parsed ? folded_local(parsed->local) : std::nullopt;
    if (!folded) return Error{ErrorKind::kCorrupt, "a recipient's key cannot be read"};
    if (!in_audience_) return std::string(*folded) + "@" + std::string(parsed->domain);
    const auto read = AudienceRow::parse(audience_->value());
    if (!read) return damaged_row();
    return std::string(read->address());
}

Result<std::unique_ptr<StoredSegment>> StoredSegment::open(Store& store,
                                                           const CampaignRecord& record,
                                                           std::string_view text, WallTime now) {
    SegmentFault fault;
    std::optional<Segment> segment = Segment::parse(text, fault);
    if (!segment) return at(text, fault.offset, fault.message, fault.hint);
    std::unique_ptr<StoredSegment> out(new StoredSegment(store, record));
    auto campaign = load_normalised(record.definition);
    if (!campaign) return campaign.error();
    out->campaign_ = std::move(campaign).value();
    out->filter_ = std::make_unique<SegmentFilter>(*std::move(segment), now, &out->campaign_.vars,
                                                   &out->history_);
    for (const SegmentField& field : out->filter_->unknown(record.columns))
        return at(text, field.offset, "the list had no variable `" + field.name() + "`",
                  segment_field_hint(field, record.columns, out->campaign_.vars));
    for (const Segment::PastCampaign& past : out->filter_->segment().past_campaigns()) {
        const auto known = out->history_.knows(past.id);
        if (!known) return known.error();
        if (!*known)
            return at(text, past.offset, "there is no campaign '" + past.id + "'",
                      "posthorn status lists those that there are");
    }
    return out;
}

Result<bool> StoredSegment::has(const RecipientWalk& recipient) {
    if (recipient.row().empty()) return false;
    auto row = AudienceRow::parse(recipient.row());
    if (!row || parse_address(row->address(), address_) != AddressFault::kNone)
        return damaged_row();
    variables_.resize(record_.columns.size());
    for (RowVariable& variable : variables_) variable = row->next();
    return filter_->matches({address_, row->name(), variables_}, record_.columns);
}

}  // namespace posthorn
