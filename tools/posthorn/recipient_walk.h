// A campaign's recipients from the store, audience and outcome side by side, with what can be asked
// of each: its address, its variant, whether a segment has it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/segment.h"
#include "campaigns/segment_history.h"
#include "campaigns/variants.h"
#include "engine/base/result.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

// Walks both families together: same keys, same order; either may lack one.
class RecipientWalk {
  public:
    RecipientWalk(const Store& store, const std::string& prefix);

    bool valid() const { return !key_.empty(); }
    void next();
    Status status() const;

    const std::string& key() const { return key_; }
    std::string_view row() const { return in_audience_ ? audience_->value() : std::string_view(); }
    std::string_view outcome() const {
        return has_outcome_ ? outcomes_->value() : std::string_view();
    }
    Result<OutcomeState> state() const;
    Result<std::string> address() const;  // as in the list; as it is keyed once the row is gone

  private:
    void look();

    std::unique_ptr<Cursor> audience_, outcomes_;
    std::string key_;
    bool in_audience_ = false, has_outcome_ = false;
};

// Asks a segment about recipients of a stored campaign. now() is the time of asking.
class StoredSegment {
  public:
    // kInvalid says what is wrong with the text, with line and column.
    static Result<std::unique_ptr<StoredSegment>> open(Store& store, const CampaignRecord& record,
                                                       std::string_view text, WallTime now);

    // A recipient whose row is gone is in no segment.
    Result<bool> has(const RecipientWalk& recipient);

  private:
    StoredSegment(Store& store, const CampaignRecord& record) : history_(store), record_(record) {}

    StoredHistory history_;
    const CampaignRecord& record_;
    Campaign campaign_;
    std::unique_ptr<SegmentFilter> filter_;
    Address address_;
    std::vector<RowVariable> variables_;
};

}  // namespace posthorn
