// recipients and trace: what became of each, from audience and outcome side by side.
#include <nlohmann/json.hpp>

#include "engine/mail/address.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

// The address as it was in the list; as it is keyed once the audience is gone.
Result<std::string> address_of(std::string_view key, std::string_view row) {
    const auto parsed = parse_audience_key(key);
    const auto folded = parsed ? folded_local(parsed->local) : std::nullopt;
    if (!folded) return Error{ErrorKind::kCorrupt, "a recipient's key cannot be read"};
    if (row.empty()) return std::string(*folded) + "@" + std::string(parsed->domain);
    const auto read = AudienceRow::parse(row);
    if (!read) return Error{ErrorKind::kCorrupt, "a recipient's row cannot be read"};
    return std::string(read->address());
}

// Walks audience and outcome together: same keys, same order; either may lack one.
class RecipientWalk {
  public:
    RecipientWalk(const Store& store, const std::string& prefix)
        : audience_(store.cursor(Family::kAudience, prefix, prefix_end(prefix))),
          outcomes_(store.cursor(Family::kOutcome, prefix, prefix_end(prefix))) {
        audience_->seek(prefix);
        outcomes_->seek(prefix);
        look();
    }

    bool valid() const { return !key_.empty(); }
    const std::string& key() const { return key_; }
    std::string_view row() const { return in_audience_ ? audience_->value() : std::string_view(); }
    std::string_view outcome() const {
        return has_outcome_ ? outcomes_->value() : std::string_view();
    }

    void next() {
        if (in_audience_) audience_->next();
        if (has_outcome_) outcomes_->next();
        look();
    }

    Status status() const {
        RETURN_IF_ERROR(audience_->status());
        return outcomes_->status();
    }

  private:
    void look() {
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

    std::unique_ptr<Cursor> audience_, outcomes_;
    std::string key_;
    bool in_audience_ = false, has_outcome_ = false;
};

}  // namespace

CommandResult show_recipients(const CommandContext& context, const nlohmann::json& request,
                              LineSink& sink) {
    const auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    const auto wanted = parse_outcome_state(text_field(request, "outcome"));

    std::string prefix = campaign_prefix(campaign->number);
    if (const std::string text = text_field(request, "domain"); !text.empty()) {
        std::string domain;
        if (const auto fault = parse_domain(text, domain); fault != AddressFault::kNone)
            return invalid_input("'" + text + "' is not a domain: " + std::string(reason(fault)));
        prefix.clear();
        append_lane_prefix(prefix, campaign->number, domain);
    }

    RecipientWalk walk(context.store, prefix);
    for (; walk.valid(); walk.next()) {
        OutcomeState state = OutcomeState::kPending;
        if (!walk.outcome().empty()) {
            const auto head = decode_outcome_head(walk.outcome());
            if (!head) return failed(head.error());
            state = head->state;
        }
        if (wanted && state != *wanted) continue;
        const auto address = address_of(walk.key(), walk.row());
        if (!address) return failed(address.error());
        if (walk.outcome().empty()) {
            if (!sink.line(json_line(recipient_json(*address, nullptr)))) break;
            continue;
        }
        const auto outcome = decode_outcome(walk.outcome());
        if (!outcome) return failed(outcome.error());
        if (!sink.line(json_line(recipient_json(*address, &*outcome)))) break;
    }
    if (const Status status = walk.status(); !status) return failed(status.error());
    return {};
}

CommandResult trace_address(const CommandContext& context, const nlohmann::json& request,
                            LineSink& sink) {
    Address address;
    const std::string text = text_field(request, "address");
    if (const auto fault = parse_address(text, address); fault != AddressFault::kNone)
        return invalid_input("'" + text + "' is not an address: " + std::string(reason(fault)));
    nlohmann::ordered_json answer;
    answer["email"] = address.to_string();

    const auto suppression = Suppressions(context.store).find(address.to_string());
    if (!suppression) return failed(suppression.error());
    answer["suppression"] =
        *suppression ? suppression_json(**suppression) : nlohmann::ordered_json(nullptr);

    const auto campaigns = CampaignCatalog(context.store).list();
    if (!campaigns) return failed(campaigns.error());
    answer["campaigns"] = nlohmann::ordered_json::array();
    for (const CampaignRecord& campaign : *campaigns) {
        const std::string key =
            audience_key({campaign.number, address.domain}, local_key(address.local));
        const auto row = context.store.get(Family::kAudience, key);
        const auto stored = context.store.get(Family::kOutcome, key);
        if (!row) return failed(row.error());
        if (!stored) return failed(stored.error());
        if (!*row && !*stored) continue;
        nlohmann::ordered_json entry = {{"campaign", campaign.id}};
        OutcomeRecord outcome;
        if (*stored) {
            auto decoded = decode_outcome(**stored);
            if (!decoded) return failed(decoded.error());
            outcome = std::move(decoded).value();
        }
        entry.update(recipient_json(address.to_string(), *stored ? &outcome : nullptr));
        entry["history"] = nlohmann::ordered_json::array();
        for (const AttemptRecord& attempt : outcome.latest)
            entry["history"].push_back(attempt_json(attempt));
        answer["campaigns"].push_back(std::move(entry));
    }
    sink.line(json_line(answer));
    return {};
}

}  // namespace posthorn
