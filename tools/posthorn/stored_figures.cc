#include "tools/posthorn/stored_figures.h"

#include <algorithm>
#include <unordered_map>

#include "engine/base/bytes.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

constexpr int kReadsMax = 20;  // each one means that a checkpoint came in between

Result<std::uint64_t> checkpoint_of(const Store& store) {
    const auto stored = store.get(Family::kState, state_key("checkpoint", {}));
    if (!stored) return stored.error();
    return *stored ? parse_sequence_key(**stored).value_or(0) : 0;
}

bool counts_by_category(OutcomeState state) {
    return state == OutcomeState::kBounced || state == OutcomeState::kExpired ||
           state == OutcomeState::kDeferred;
}

void add(Figures& to, const Figures& more) {
    for (std::size_t i = 0; i < to.by_state.size(); ++i) to.by_state[i] += more.by_state[i];
    for (std::size_t i = 0; i < to.by_category.size(); ++i)
        to.by_category[i] += more.by_category[i];
    to.attempts += more.attempts;
    to.possible_duplicates += more.possible_duplicates;
}

// By lane: what the events since the checkpoint add to its figures.
using Additions = std::unordered_map<std::string, Figures>;

Result<Additions> additions_since(const Store& store, std::uint64_t checkpoint,
                                  CampaignNumber campaign) {
    Additions additions;
    const std::string from = sequence_key(checkpoint + 1);
    const auto cursor = store.cursor(Family::kEvent, from, std::string());
    for (cursor->seek(from); cursor->valid(); cursor->next()) {
        const auto sequence = parse_sequence_key(cursor->key());
        if (!sequence) return Error{ErrorKind::kCorrupt, "an event's key cannot be read"};
        const auto event = decode_event(cursor->value(), *sequence);
        if (!event) return event.error();
        if (event->lane.campaign == campaign)
            count_event(additions[event->lane.domain], *event);
    }
    RETURN_IF_ERROR(cursor->status());
    return additions;
}

bool is_larger(const DomainFigures& a, const DomainFigures& b) {
    return a.recipients != b.recipients ? a.recipients > b.recipients : a.domain < b.domain;
}

// The largest domains, of any number that pass by.
class LargestDomains {
  public:
    explicit LargestDomains(std::size_t kept_max) : kept_max_(kept_max) {}

    void add(DomainFigures domain) {
        if (kept_max_ == 0) return;
        if (kept_.size() == kept_max_) {
            if (!is_larger(domain, kept_.front())) return;
            std::pop_heap(kept_.begin(), kept_.end(), is_larger);
            kept_.pop_back();
        }
        kept_.push_back(std::move(domain));
        std::push_heap(kept_.begin(), kept_.end(), is_larger);
    }
    std::vector<DomainFigures> take() {
        std::sort_heap(kept_.begin(), kept_.end(), is_larger);
        return std::move(kept_);
    }

  private:
    std::size_t kept_max_;
    std::vector<DomainFigures> kept_;  // a heap, the smallest in front
};

Result<CampaignFiguresRead> read_lanes(const Store& store, CampaignNumber campaign,
                                       const Additions& additions, std::size_t domains_max) {
    CampaignFiguresRead read;
    LargestDomains largest(domains_max);
    const std::string prefix = campaign_prefix(campaign);
    const auto cursor = store.cursor(Family::kLane, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        auto id = parse_lane_key(cursor->key());
        auto lane = decode_lane(cursor->value());
        if (!lane) return lane.error();
        if (!id) return Error{ErrorKind::kCorrupt, "a lane's key cannot be read"};
        Figures& figures = lane->figures;
        if (const auto more = additions.find(id->domain); more != additions.end())
            add(figures, more->second);
        const auto count = [&](OutcomeState state) {
            return figures.by_state[static_cast<std::size_t>(state)];
        };
        add(read.total, figures);
        ++read.domain_count;
        largest.add({std::move(id->domain), lane->recipients, count(OutcomeState::kDelivered),
                     count(OutcomeState::kBounced), count(OutcomeState::kDeferred)});
    }
    RETURN_IF_ERROR(cursor->status());
    read.domains = largest.take();
    return read;
}

}  // namespace

void count_event(Figures& figures, const EventRecord& event) {
    const auto state = [&](OutcomeState of) -> std::uint64_t& {
        return figures.by_state[static_cast<std::size_t>(of)];
    };
    const auto category = [&](Category of) -> std::uint64_t& {
        return figures.by_category[static_cast<std::size_t>(of)];
    };
    if (event.type == EventType::kAttempt) ++figures.attempts;
    if (event.possible_duplicate) ++figures.possible_duplicates;
    if (event.before != OutcomeState::kPending) --state(event.before);
    if (event.after != OutcomeState::kPending) ++state(event.after);
    if (counts_by_category(event.before)) --category(event.category_before);
    if (counts_by_category(event.after)) ++category(event.category);
}

Result<CampaignFiguresRead> read_figures(const Store& store, CampaignNumber campaign,
                                         std::size_t domains_max) {
    for (int reads = 0; reads < kReadsMax; ++reads) {
        const auto before = checkpoint_of(store);
        if (!before) return before.error();
        const auto additions = additions_since(store, *before, campaign);
        if (!additions) return additions.error();
        auto read = read_lanes(store, campaign, *additions, domains_max);
        if (!read) return read.error();
        const auto after = checkpoint_of(store);
        if (!after) return after.error();
        if (*before == *after) return read;
    }
    return Error{ErrorKind::kBusy, "the figures change too fast to be read: ask again"};
}

}  // namespace posthorn
