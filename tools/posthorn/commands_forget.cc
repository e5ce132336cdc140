// forget: erases what is known of one address. A suppression stays, without the address: the hash
// that is its key keeps the opt-out honoured and names nobody.
#include <nlohmann/json.hpp>

#include "engine/base/units.h"
#include "engine/mail/address.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"

namespace posthorn {

namespace {

constexpr std::size_t kBatchMax = 1000;

// Its place in the order of a campaign with priorities, which only a look at all of the lane finds.
Status forget_rank(const Store& store, const LaneId& lane, const std::string& local,
                   WriteBatch& batch) {
    std::string prefix;
    append_lane_prefix(prefix, lane.campaign, lane.domain);
    const auto cursor = store.cursor(Family::kOrder, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        if (cursor->key().size() == prefix.size() + kRankBytes + local.size() &&
            cursor->key().ends_with(local))
            batch.erase(Family::kOrder, cursor->key());
    return cursor->status();
}

// Outcome, retry and audience of one campaign; whether there was anything.
Result<bool> forget_in(const Store& store, const LaneId& lane, const std::string& local,
                       WriteBatch& batch) {
    const std::string key = audience_key(lane, local);
    const auto row = store.get(Family::kAudience, key);
    if (!row) return row.error();
    const auto stored = store.get(Family::kOutcome, key);
    if (!stored) return stored.error();
    if (*stored) {
        const auto outcome = decode_outcome(**stored);
        if (!outcome) return outcome.error();
        if (outcome->state == OutcomeState::kDeferred)
            batch.erase(Family::kRetry, retry_key(lane, outcome->next_due, local));
        batch.erase(Family::kOutcome, key);
    }
    if (*row) batch.erase(Family::kAudience, key);
    if (*row) RETURN_IF_ERROR(forget_rank(store, lane, local, batch));
    return row->has_value() || stored->has_value();
}

// Events are kept by time, so all are looked at.
Status forget_events(Store& store, const std::string& domain, const std::string& local,
                     std::uint64_t& erased) {
    WriteBatch batch;
    const auto cursor = store.cursor(Family::kEvent, {}, {});
    for (cursor->seek({}); cursor->valid(); cursor->next()) {
        const auto sequence = parse_sequence_key(cursor->key());
        if (!sequence) return Error{ErrorKind::kCorrupt, "an event's key cannot be read"};
        const auto event = decode_event(cursor->value(), *sequence);
        if (!event) return event.error();
        if (event->lane.domain != domain || event->local != local) continue;
        batch.erase(Family::kEvent, cursor->key());
        ++erased;
        if (batch.size() < kBatchMax) continue;
        RETURN_IF_ERROR(store.write(batch));
        batch.clear();
    }
    RETURN_IF_ERROR(cursor->status());
    return batch.empty() ? Status() : store.write(batch);
}

Status keep_suppression_nameless(Store& store, const Address& address) {
    auto suppression = Suppressions(store).find(address.to_string());
    if (!suppression) return suppression.error();
    if (!*suppression) return {};
    (*suppression)->address.clear();
    const std::string folded = fold_local(address.local) + "@" + address.domain;
    WriteBatch batch;
    batch.put(Family::kSuppression, suppression_key({}, folded), encode(**suppression));
    return store.write(batch);
}

}  // namespace

CommandResult forget_address(const CommandContext& context, const nlohmann::json& request,
                             LineSink& sink) {
    Address address;
    const std::string text = text_field(request, "address");
    if (const auto fault = parse_address(text, address); fault != AddressFault::kNone)
        return invalid_input("'" + text + "' is not an address: " + std::string(reason(fault)));
    const std::string local = local_key(address.local);
    const auto campaigns = CampaignCatalog(context.store).list();
    if (!campaigns) return failed(campaigns.error());
    WriteBatch batch;
    std::uint64_t forgotten = 0;
    for (const CampaignRecord& campaign : *campaigns) {
        const auto found =
            forget_in(context.store, {campaign.number, address.domain}, local, batch);
        if (!found) return failed(found.error());
        if (!*found) continue;
        // Its figures would never add up, and the address may be on the wire.
        if (campaign.finished == WallTime())
            return invalid_input("campaign " + campaign.id +
                                 " is not finished and has this address: cancel it or let it end, "
                                 "then forget");
        ++forgotten;
    }
    std::uint64_t events = 0;
    Status done = batch.empty() ? Status() : context.store.write(batch);
    if (done) done = forget_events(context.store, address.domain, local, events);
    if (done) done = keep_suppression_nameless(context.store, address);
    if (!done) return failed(done.error());
    nlohmann::ordered_json answer = {{"campaigns", forgotten}, {"events", events}};
    answer["message"] = "forgotten in " + with_separators(forgotten) + " campaigns and " +
                        with_separators(events) +
                        " events; a suppression stays in force, as a hash that names nobody";
    sink.line(json_line(answer));
    return {};
}

}  // namespace posthorn
