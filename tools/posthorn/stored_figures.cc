#include "tools/posthorn/stored_figures.h"

#include <algorithm>
#include <map>
#include <optional>

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

using Lanes = std::map<std::string, DomainFigures, std::less<>>;

Status read_lanes(const Store& store, CampaignNumber campaign, Lanes& lanes) {
    const std::string prefix = campaign_prefix(campaign);
    const auto cursor = store.cursor(Family::kLane, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        auto id = parse_lane_key(cursor->key());
        const auto lane = decode_lane(cursor->value());
        if (!lane) return lane.error();
        if (!id) return Error{ErrorKind::kCorrupt, "a lane's key cannot be read"};
        std::string domain = id->domain;
        lanes.emplace(domain,
                      DomainFigures{std::move(id->domain), lane->recipients, lane->figures});
    }
    return cursor->status();
}

Status count_events_since(const Store& store, std::uint64_t checkpoint, CampaignNumber campaign,
                          Lanes& lanes) {
    const std::string from = sequence_key(checkpoint + 1);
    const auto cursor = store.cursor(Family::kEvent, from, std::string());
    for (cursor->seek(from); cursor->valid(); cursor->next()) {
        const auto sequence = parse_sequence_key(cursor->key());
        if (!sequence) return Error{ErrorKind::kCorrupt, "an event's key cannot be read"};
        const auto event = decode_event(cursor->value(), *sequence);
        if (!event) return event.error();
        if (event->lane.campaign != campaign) continue;
        const auto lane = lanes.find(event->lane.domain);
        if (lane != lanes.end()) count_event(lane->second.figures, *event);
    }
    return cursor->status();
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

Result<CampaignFiguresRead> read_figures(const Store& store, CampaignNumber campaign) {
    for (int reads = 0; reads < kReadsMax; ++reads) {
        const auto before = checkpoint_of(store);
        if (!before) return before.error();
        Lanes lanes;
        RETURN_IF_ERROR(read_lanes(store, campaign, lanes));
        RETURN_IF_ERROR(count_events_since(store, *before, campaign, lanes));
        const auto after = checkpoint_of(store);
        if (!after) return after.error();
        if (*before != *after) continue;
        CampaignFiguresRead read;
        for (auto& [domain, figures] : lanes) {
            add(read.total, figures.figures);
            read.domains.push_back(std::move(figures));
        }
        std::stable_sort(read.domains.begin(), read.domains.end(),
                         [](const DomainFigures& a, const DomainFigures& b) {
                             return a.recipients > b.recipients;
                         });
        return read;
    }
    return Error{ErrorKind::kBusy, "the figures change too fast to be read: ask again"};
}

}  // namespace posthorn
