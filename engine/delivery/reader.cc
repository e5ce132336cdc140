#include "engine/delivery/reader.h"

#include "engine/base/bytes.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kBandWithMark = 255 - 9;  // lanes of 512 and more may have a mark
constexpr std::size_t kLocalHashBytes = 4;       // of a local key, before the folded local part
constexpr std::size_t kNextsBeforeSeek = 8;      // stepping is cheaper than seeking over a few keys

Error corrupt(std::string_view what) {
    return {ErrorKind::kCorrupt, "the store holds " + std::string(what) + " that cannot be read"};
}

// Moves to the first key >= wanted, from a position before or at it.
void advance(Cursor& cursor, std::string_view wanted) {
    for (std::size_t i = 0; i < kNextsBeforeSeek; ++i) {
        if (!cursor.valid() || cursor.key() >= wanted) return;
        cursor.next();
    }
    if (cursor.valid() && cursor.key() < wanted) cursor.seek(wanted);
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

// Walks the pending rows of lanes: audience without outcome. Where the campaign has priorities, by
// the order family, and each row is fetched by its key.
class PendingRows {
  public:
    PendingRows(const Store& store, CampaignNumber campaign) : store_(store) {
        const std::string prefix = campaign_prefix(campaign);
        const std::string end = prefix_end(prefix);
        order_ = store.cursor(Family::kOrder, prefix, end);
        order_->seek(prefix);
        ranked_ = order_->valid();
        if (!ranked_) {
            audience_ = store.cursor(Family::kAudience, prefix, end);
            outcomes_ = store.cursor(Family::kOutcome, prefix, end);
        }
        auto suppressions = store.cursor(Family::kSuppression, {}, {});
        suppressions->seek({});
        any_suppressed_ = suppressions->valid();
    }

    // Appends up to rows_max pending rows of the lane from behind a position on; empty: from the
    // first. True: there are no more beyond those.
    Result<bool> read(const LaneId& lane, std::string_view after, std::size_t rows_max,
                      Page& page) {
        lane_ = &lane;
        prefix_.clear();
        append_lane_prefix(prefix_, lane.campaign, lane.domain);
        from_ = prefix_;
        from_ += after;
        if (!after.empty()) from_ += '\0';  // the first key beyond it
        return ranked_ ? read_by_rank(rows_max, page) : read_by_key(rows_max, page);
    }

  private:
    Result<bool> read_by_key(std::size_t rows_max, Page& page) {
        position(*audience_, from_);
        position(*outcomes_, from_);
        std::size_t count = 0;
        for (; audience_->valid() && starts_with(audience_->key(), prefix_); audience_->next()) {
            advance(*outcomes_, audience_->key());
            if (outcomes_->valid() && outcomes_->key() == audience_->key()) continue;
            if (count == rows_max) return false;
            RETURN_IF_ERROR(
                append(page, audience_->key().substr(prefix_.size()), 0, audience_->value()));
            ++count;
        }
        RETURN_IF_ERROR(audience_->status());
        RETURN_IF_ERROR(outcomes_->status());
        return true;
    }

    Result<bool> read_by_rank(std::size_t rows_max, Page& page) {
        position(*order_, from_);
        std::size_t count = 0;
        for (; order_->valid() && starts_with(order_->key(), prefix_); order_->next()) {
            const std::string_view place = order_->key().substr(prefix_.size());
            if (place.size() <= kRankBytes) return corrupt("a recipient's rank");
            key_ = prefix_;
            key_ += place.substr(kRankBytes);
            const auto outcome = store_.get(Family::kOutcome, key_);
            if (!outcome) return outcome.error();
            if (*outcome) continue;
            if (count == rows_max) return false;
            const auto row = store_.get(Family::kAudience, key_);
            if (!row) return row.error();
            if (!*row) continue;  // purged meanwhile
            RETURN_IF_ERROR(append(page, place, kRankBytes, **row));
            ++count;
        }
        RETURN_IF_ERROR(order_->status());
        return true;
    }

    // Lanes of one size come in the order of the audience, so the next row is often the one wanted.
    static void position(Cursor& cursor, std::string_view from) {
        if (cursor.valid() && cursor.key() <= from) {
            advance(cursor, from);
        } else {
            cursor.seek(from);
        }
    }

    Status append(Page& page, std::string_view place, std::size_t rank_bytes,
                  std::string_view row) {
        const std::string_view local = place.substr(rank_bytes);
        Page::Item item;
        page.bytes += place.substr(0, rank_bytes);
        item.rank_bytes = static_cast<std::uint8_t>(rank_bytes);
        item.local_at = static_cast<std::uint32_t>(page.bytes.size());
        item.local_bytes = static_cast<std::uint16_t>(local.size());
        page.bytes += local;
        item.row_at = static_cast<std::uint32_t>(page.bytes.size());
        item.row_bytes = static_cast<std::uint32_t>(row.size());
        page.bytes += row;
        if (any_suppressed_) {
            if (local.size() < kLocalHashBytes) return corrupt("a recipient's key");
            suppression_key_.clear();
            append_suppression_key(suppression_key_, {}, local.substr(kLocalHashBytes),
                                   lane_->domain);
            const auto suppressed = Suppressions::in_force(store_, suppression_key_);
            if (!suppressed) return suppressed.error();
            item.suppressed = *suppressed;
        }
        page.items.push_back(item);
        return {};
    }

    const Store& store_;
    std::unique_ptr<Cursor> order_, audience_, outcomes_;
    bool ranked_ = false;
    bool any_suppressed_ = false;
    const LaneId* lane_ = nullptr;
    std::string prefix_, from_, key_, suppression_key_;
};

}  // namespace

ReaderAnswer Reader::answer(const ReaderRequest& request) const {
    return std::visit(
        [this](const auto& asked) -> ReaderAnswer {
            auto result = read(asked);
            if (!result) return ReadFailed{asked.ticket, result.error()};
            return std::move(*result);
        },
        request);
}

Result<std::string> Reader::mark_of(const LaneId& lane) const {
    const auto stored = store_.get(Family::kLane, lane_key(lane));
    if (!stored) return stored.error();
    if (!*stored) return std::string();
    auto record = decode_lane(**stored);
    if (!record) return record.error();
    return std::move(record->mark);
}

Result<ReaderAnswer> Reader::read(const OpenLanes& request) const {
    LanesOpened answer;
    answer.ticket = request.ticket;
    answer.next_after = request.after;
    auto page = std::make_shared<Page>();
    const std::string first = lane_order_key(request.campaign, kFirstLaneBand, {});
    auto order =
        store_.cursor(Family::kLaneOrder, first, prefix_end(campaign_prefix(request.campaign)));
    order->seek(request.after.empty() ? first : request.after);
    if (order->valid() && order->key() == request.after) order->next();
    std::optional<PendingRows> pending;
    for (; order->valid(); order->next()) {
        if (answer.lanes.size() >= request.lanes_max || page->items.size() >= request.rows_max)
            break;
        const auto key = parse_lane_order_key(order->key());
        if (!key) return corrupt("a lane's key");
        const LaneId lane{request.campaign, std::string(key->domain)};
        std::string mark;
        if (key->band <= kBandWithMark) {
            auto stored = mark_of(lane);
            if (!stored) return stored.error();
            mark = std::move(*stored);
        }
        if (!pending) pending.emplace(store_, request.campaign);
        LaneHead head{lane.domain, 0, static_cast<std::uint32_t>(page->items.size()), 0, false};
        const auto complete = pending->read(lane, mark, request.rows_per_lane_max, *page);
        if (!complete) return complete.error();
        head.complete = *complete;
        head.count = static_cast<std::uint32_t>(page->items.size()) - head.first;
        head.recipients = ByteReader(order->value()).varint();
        if (head.count > 0) answer.lanes.push_back(std::move(head));
        answer.next_after = order->key();
    }
    RETURN_IF_ERROR(order->status());
    answer.complete = !order->valid();
    answer.page = std::move(page);
    return ReaderAnswer(std::move(answer));
}

Result<ReaderAnswer> Reader::read(const ReadFresh& request) const {
    RowsRead answer;
    answer.ticket = request.ticket;
    auto page = std::make_shared<Page>();
    std::string after = request.after;
    if (after.empty()) {
        auto mark = mark_of(request.lane);
        if (!mark) return mark.error();
        after = std::move(*mark);
    }
    PendingRows pending(store_, request.lane.campaign);
    const auto complete = pending.read(request.lane, after, request.rows_max, *page);
    if (!complete) return complete.error();
    answer.complete = *complete;
    answer.page = std::move(page);
    return ReaderAnswer(std::move(answer));
}

Result<ReaderAnswer> Reader::read(const ReadDue& request) const {
    RowsRead answer;
    answer.ticket = request.ticket;
    answer.complete = true;
    auto page = std::make_shared<Page>();
    std::string prefix;
    append_lane_prefix(prefix, request.lane.campaign, request.lane.domain);
    auto suppressions = store_.cursor(Family::kSuppression, {}, {});
    suppressions->seek({});
    const bool any_suppressed = suppressions->valid();
    auto cursor = store_.cursor(Family::kRetry, prefix, prefix_end(prefix));
    const std::string from = retry_key(request.lane, request.after_due, request.after_local);
    cursor->seek(from);
    if (cursor->valid() && cursor->key() == from) cursor->next();
    for (; cursor->valid(); cursor->next()) {
        const auto key = parse_retry_key(cursor->key());
        if (!key) return corrupt("a retry's key");
        if (key->due > request.until) {
            answer.next_due = key->due;
            break;
        }
        if (page->items.size() >= request.rows_max) {
            answer.complete = false;
            break;
        }
        RETURN_IF_ERROR(append_retry(*page, request, key->due, key->local, any_suppressed));
    }
    RETURN_IF_ERROR(cursor->status());
    answer.page = std::move(page);
    return ReaderAnswer(std::move(answer));
}

Status Reader::append_retry(Page& page, const ReadDue& request, WallTime due,
                            std::string_view local, bool any_suppressed) const {
    const std::string key = audience_key(request.lane, local);
    const auto row = store_.get(Family::kAudience, key);
    if (!row) return row.error();
    const auto stored = store_.get(Family::kOutcome, key);
    if (!stored) return stored.error();
    if (!*row || !*stored) return {};  // purged meanwhile
    auto outcome = decode_outcome(**stored);
    if (!outcome) return outcome.error();
    Page::Item item;
    item.due = due;
    item.local_at = static_cast<std::uint32_t>(page.bytes.size());
    item.local_bytes = static_cast<std::uint16_t>(local.size());
    page.bytes += local;
    item.row_at = static_cast<std::uint32_t>(page.bytes.size());
    item.row_bytes = static_cast<std::uint32_t>((*row)->size());
    page.bytes += **row;
    item.previous = static_cast<std::int32_t>(page.previous.size());
    page.previous.push_back(std::move(*outcome));
    if (any_suppressed) {
        std::string suppression;
        append_suppression_key(suppression, {}, local.substr(4), request.lane.domain);
        const auto suppressed = Suppressions::in_force(store_, suppression);
        if (!suppressed) return suppressed.error();
        item.suppressed = *suppressed;
    }
    page.items.push_back(item);
    return {};
}

Result<ReaderAnswer> Reader::read(const ListDeferredLanes& request) const {
    DeferredLanes answer;
    answer.ticket = request.ticket;
    answer.complete = true;
    answer.next_after = request.after_domain;
    const std::string prefix = campaign_prefix(request.campaign);
    auto cursor = store_.cursor(Family::kRetry, prefix, prefix_end(prefix));
    std::string from = prefix;
    if (!request.after_domain.empty()) {
        append_lane_prefix(from = {}, request.campaign, request.after_domain);
        from = prefix_end(from);
    }
    for (cursor->seek(from); cursor->valid(); cursor->seek(from)) {
        const auto key = parse_retry_key(cursor->key());
        if (!key) return corrupt("a retry's key");
        if (answer.lanes.size() >= request.lanes_max) {
            answer.complete = false;
            break;
        }
        answer.lanes.emplace_back(std::string(key->domain), key->due);
        answer.next_after = answer.lanes.back().first;
        append_lane_prefix(from = {}, request.campaign, answer.next_after);
        from = prefix_end(from);
    }
    RETURN_IF_ERROR(cursor->status());
    return ReaderAnswer(std::move(answer));
}

}  // namespace posthorn
