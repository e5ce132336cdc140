// recipients and trace: what became of each, from audience and outcome side by side.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_definition.h"
#include "campaigns/own_headers.h"
#include "engine/mail/address.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/recipient_walk.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

// What a listing leaves out, and what it adds to each line.
class Listing {
  public:
    static Result<Listing> open(const CommandContext& context, const CampaignRecord& record,
                                const nlohmann::json& request) {
        Listing listing;
        listing.wanted_ = parse_outcome_state(text_field(request, "outcome"));
        if (const std::string text = text_field(request, "segment"); !text.empty()) {
            auto segment = StoredSegment::open(context.store, record, text, context.now());
            if (!segment) return segment.error();
            listing.segment_ = std::move(segment).value();
        }
        const auto column =
            std::find(record.columns.begin(), record.columns.end(), kOwnMetadataColumn);
        if (column != record.columns.end())
            listing.metadata_ = static_cast<std::size_t>(column - record.columns.begin());
        if (record.definition.empty()) return listing;
        auto campaign = load_normalised(record.definition);
        if (!campaign) return campaign.error();
        for (const Variant& variant : campaign->variants) listing.names_.push_back(variant.name);
        if (!listing.names_.empty()) listing.choice_.emplace(*campaign);
        return listing;
    }

    Result<bool> shows(const RecipientWalk& recipient) {
        const auto state = recipient.state();
        if (!state) return state.error();
        if (wanted_ && *state != *wanted_) return false;
        if (segment_ == nullptr) return true;
        return segment_->has(recipient);
    }

    void complete(nlohmann::ordered_json& line, const RecipientWalk& recipient) const {
        if (choice_) line["variant"] = names_[choice_->of(recipient.key())];
        if (!metadata_ || recipient.row().empty()) return;
        auto row = AudienceRow::parse(recipient.row());
        if (!row) return;
        for (std::size_t column = 0; column < *metadata_; ++column) row->next();
        const RowVariable metadata = row->next();
        if (metadata.missing()) return;
        line["metadata"] = nlohmann::ordered_json::parse(metadata.bytes, nullptr, false);
    }

  private:
    std::optional<OutcomeState> wanted_;
    std::unique_ptr<StoredSegment> segment_;
    std::optional<std::size_t> metadata_;  // its column
    std::optional<VariantChoice> choice_;
    std::vector<std::string> names_;
};

Result<nlohmann::ordered_json> line_of(const RecipientWalk& recipient) {
    const auto address = recipient.address();
    if (!address) return address.error();
    if (recipient.outcome().empty()) return recipient_json(*address, nullptr);
    const auto outcome = decode_outcome(recipient.outcome());
    if (!outcome) return outcome.error();
    return recipient_json(*address, &*outcome);
}

}  // namespace

CommandResult show_recipients(const CommandContext& context, const nlohmann::json& request,
                              LineSink& sink) {
    const auto campaign = find_campaign(context.store, text_field(request, "campaign"));
    if (!campaign) return failed(campaign.error());
    std::string prefix = campaign_prefix(campaign->number);
    if (const std::string text = text_field(request, "domain"); !text.empty()) {
        std::string domain;
        if (const auto fault = parse_domain(text, domain); fault != AddressFault::kNone)
            return invalid_input("'" + text + "' is not a domain: " + std::string(reason(fault)));
        prefix.clear();
        append_lane_prefix(prefix, campaign->number, domain);
    }

    auto listing = Listing::open(context, *campaign, request);
    if (!listing) return failed(listing.error());
    RecipientWalk walk(context.store, prefix);
    for (; walk.valid(); walk.next()) {
        const auto shown = listing->shows(walk);
        if (!shown) return failed(shown.error());
        if (!*shown) continue;
        auto line = line_of(walk);
        if (!line) return failed(line.error());
        listing->complete(*line, walk);
        if (!sink.line(json_line(*line))) break;
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
