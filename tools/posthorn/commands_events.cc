// events: the delivery log, in the order in which it was recorded.
#include <map>
#include <nlohmann/json.hpp>

#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

constexpr Duration kFollowEvery{std::chrono::milliseconds(500)};

class EventListing {
  public:
    EventListing(const CommandContext& context, LineSink& sink, std::uint64_t after)
        : context_(context), sink_(sink), after_(after) {}

    Status only_of(const std::string& campaign) {
        const auto found = find_campaign(context_.store, campaign);
        if (!found) return found.error();
        only_ = found->number;
        return {};
    }

    // All there are now. False: nobody reads any more.
    Result<bool> list() {
        const auto cursor =
            context_.store.cursor(Family::kEvent, sequence_key(after_ + 1), std::string());
        for (cursor->seek(sequence_key(after_ + 1)); cursor->valid(); cursor->next()) {
            const auto sequence = parse_sequence_key(cursor->key());
            if (!sequence) return Error{ErrorKind::kCorrupt, "an event's key cannot be read"};
            after_ = *sequence;
            const auto event = decode_event(cursor->value(), *sequence);
            if (!event) return event.error();
            if (only_ && event->lane.campaign != *only_) continue;
            const auto line = json_of(*event, *sequence);
            if (!line) return line.error();
            if (!sink_.line(*line)) return false;
        }
        RETURN_IF_ERROR(cursor->status());
        return sink_.flush();
    }

  private:
    Result<std::string> json_of(const EventRecord& event, std::uint64_t sequence) {
        const auto folded = folded_local(event.local);
        nlohmann::ordered_json json;
        json["sequence"] = sequence;
        json["time"] = time_json(event.time);
        json["type"] = event.type == EventType::kAttempt ? "attempt" : "outcome";
        json["campaign"] = id_of(event.lane.campaign);
        json["email"] = std::string(folded.value_or("")) + "@" + event.lane.domain;
        json["before"] = name_of(event.before);
        json["outcome"] = name_of(event.after);
        json["category"] = event.category == Category::kNone
                               ? nlohmann::ordered_json(nullptr)
                               : nlohmann::ordered_json(name_of(event.category));
        json["attempt"] = event.attempt;
        RETURN_IF_ERROR(put_words(event, json));
        return json_line(json);
    }

    // The outcome holds the words of the latest attempts; of older ones they are gone.
    Status put_words(const EventRecord& event, nlohmann::ordered_json& json) const {
        const auto stored =
            context_.store.get(Family::kOutcome, audience_key(event.lane, event.local));
        if (!stored) return stored.error();
        if (event.attempt == 0 || !*stored) return {};
        const auto outcome = decode_outcome(**stored);
        if (!outcome) return outcome.error();
        const std::uint64_t gone =
            outcome->attempts - std::min<std::uint64_t>(outcome->attempts, outcome->latest.size());
        if (event.attempt <= gone || event.attempt > outcome->attempts) return {};
        const AttemptRecord& attempt = outcome->latest[event.attempt - gone - 1];
        const nlohmann::ordered_json words = attempt_json(attempt);
        for (const auto& [key, value] : words.items())
            if (key != "time" && key != "category") json[key] = value;
        return {};
    }

    const std::string& id_of(CampaignNumber number) {
        const auto known = ids_.find(number);
        if (known != ids_.end()) return known->second;
        const auto all = CampaignCatalog(context_.store).list();
        if (all)
            for (const CampaignRecord& campaign : *all) ids_[campaign.number] = campaign.id;
        return ids_.try_emplace(number, "#" + std::to_string(number)).first->second;
    }

    const CommandContext& context_;
    LineSink& sink_;
    std::uint64_t after_;
    std::optional<CampaignNumber> only_;
    std::map<CampaignNumber, std::string> ids_;
};

}  // namespace

CommandResult show_events(const CommandContext& context, const nlohmann::json& request,
                          LineSink& sink) {
    EventListing listing(context, sink, count_field(request, "after"));
    if (const std::string id = text_field(request, "campaign"); !id.empty())
        if (const Status found = listing.only_of(id); !found) return failed(found.error());
    const bool follow = true_field(request, "follow") && context.views != nullptr;
    ViewFeed::Seen seen;
    while (true) {
        const bool ended = follow && context.views->ended();
        const auto listed = listing.list();
        if (!listed) return failed(listed.error());
        if (!*listed || !follow || ended) return {};
        context.views->wait(seen, kFollowEvery);
    }
}

}  // namespace posthorn
