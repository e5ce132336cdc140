#include "tools/posthorn/progress.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/posthorn/json_fields.h"

namespace posthorn {

std::uint64_t ProgressPicture::settled() const {
    std::uint64_t sum = 0;
    for (std::size_t state = 0; state < kOutcomeStateCount; ++state)
        if (is_final(static_cast<OutcomeState>(state))) sum += by_state[state];
    return sum;
}

nlohmann::json to_json(const ProgressPicture& picture) {
    nlohmann::json sites = nlohmann::json::array();
    for (const SitePicture& site : picture.sites)
        sites.push_back({{"site", site.name},
                         {"sessions", site.sessions},
                         {"accepted", site.accepted},
                         {"deferred", site.deferred},
                         {"refused", site.refused},
                         {"waits_for", site.waits_for},
                         {"last_failure", site.last_failure}});
    nlohmann::json outcomes;
    for (std::size_t state = 0; state < kOutcomeStateCount; ++state)
        outcomes[std::string(name_of(static_cast<OutcomeState>(state)))] = picture.by_state[state];
    return {{"at_s", picture.at_s},
            {"campaign", picture.id},
            {"name", picture.name},
            {"state", name_of(picture.state)},
            {"pause_reason", picture.pause_reason},
            {"rows_read", picture.rows_read},
            {"recipients", picture.recipients},
            {"outcomes", std::move(outcomes)},
            {"attempts", picture.attempts},
            {"in_flight", picture.in_flight},
            {"sessions", picture.sessions},
            {"opening", picture.opening},
            {"sites", std::move(sites)},
            {"notices", picture.notices},
            {"trouble", picture.trouble}};
}

std::optional<ProgressPicture> progress_from_json(const nlohmann::json& json) {
    if (!json.is_object()) return std::nullopt;
    ProgressPicture picture;
    picture.at_s = number_field(json, "at_s");
    picture.id = text_field(json, "campaign");
    picture.name = text_field(json, "name");
    const std::string state = text_field(json, "state");
    for (const CampaignState known :
         {CampaignState::kImporting, CampaignState::kRunning, CampaignState::kPaused,
          CampaignState::kFinished, CampaignState::kCancelled})
        if (name_of(known) == state) picture.state = known;
    picture.pause_reason = text_field(json, "pause_reason");
    picture.rows_read = count_field(json, "rows_read");
    picture.recipients = count_field(json, "recipients");
    const nlohmann::json& outcomes = object_field(json, "outcomes");
    for (std::size_t i = 0; i < kOutcomeStateCount; ++i)
        picture.by_state[i] = count_field(outcomes, name_of(static_cast<OutcomeState>(i)));
    picture.attempts = count_field(json, "attempts");
    picture.in_flight = count_field(json, "in_flight");
    picture.sessions = static_cast<std::uint32_t>(count_field(json, "sessions"));
    picture.opening = static_cast<std::uint32_t>(count_field(json, "opening"));
    for (const nlohmann::json& site : array_field(json, "sites"))
        picture.sites.push_back({text_field(site, "site"),
                                 static_cast<std::uint32_t>(count_field(site, "sessions")),
                                 count_field(site, "accepted"), count_field(site, "deferred"),
                                 count_field(site, "refused"), text_field(site, "waits_for"),
                                 text_field(site, "last_failure")});
    for (const nlohmann::json& notice : array_field(json, "notices"))
        if (notice.is_string()) picture.notices.push_back(notice.get<std::string>());
    picture.trouble = text_field(json, "trouble");
    return picture;
}

void ProgressHistory::add(ProgressPicture picture) {
    for (const std::string& notice : picture.notices) notices_.push_back(notice);
    while (notices_.size() > kNoticesKept) notices_.pop_front();
    picture.notices.clear();
    if (!first_) first_ = picture;
    if (!first_running_ && picture.state != CampaignState::kImporting) first_running_ = picture;
    // The one before last is what the last is measured against, so only crowded ones go.
    if (kept_.size() >= 2 && picture.at_s - kept_[kept_.size() - 2].at_s < kPictureEverySeconds)
        kept_.pop_back();
    kept_.push_back(std::move(picture));
    while (kept_.size() > 1 && kept_.back().at_s - kept_.front().at_s > kKeptSeconds)
        kept_.pop_front();
}

const ProgressPicture& ProgressHistory::about_seconds_ago(double seconds) const {
    const auto recent = [&](const ProgressPicture& picture) {
        return kept_.back().at_s - picture.at_s <= seconds;
    };
    return *std::find_if(kept_.begin(), kept_.end(), recent);
}

namespace {

double per_second(std::uint64_t before, std::uint64_t after, double seconds) {
    if (after <= before || seconds <= 0) return 0;
    return static_cast<double>(after - before) / seconds;
}

double delivered_rate(const ProgressPicture& from, const ProgressPicture& to) {
    return per_second(from.count(OutcomeState::kDelivered), to.count(OutcomeState::kDelivered),
                      to.at_s - from.at_s);
}

}  // namespace

double ProgressHistory::rate_now() const {
    return kept_.empty() ? 0 : delivered_rate(about_seconds_ago(1.05), latest());
}

double ProgressHistory::rate_average() const {
    return first_running_ ? delivered_rate(*first_running_, latest()) : 0;
}

std::optional<double> ProgressHistory::seconds_left() const {
    if (kept_.empty() || latest().state != CampaignState::kRunning) return std::nullopt;
    const ProgressPicture& from = about_seconds_ago(kKeptSeconds);
    const double rate = per_second(from.settled(), latest().settled(), latest().at_s - from.at_s);
    const std::uint64_t settled = std::min(latest().settled(), latest().recipients);
    // Less than two seconds of pictures, or waiting for retries: any figure would be a guess.
    if (latest().at_s - from.at_s < 2 || rate < 0.01 || latest().count(OutcomeState::kPending) == 0)
        return std::nullopt;
    return static_cast<double>(latest().recipients - settled) / rate;
}

double ProgressHistory::seconds_seen() const {
    return kept_.empty() ? 0 : latest().at_s - first_->at_s;
}

double ProgressHistory::site_rate(const std::string& site) const {
    const auto accepted = [&](const ProgressPicture& picture) -> std::optional<std::uint64_t> {
        for (const SitePicture& candidate : picture.sites)
            if (candidate.name == site) return candidate.accepted;
        return std::nullopt;
    };
    if (kept_.empty()) return 0;
    const ProgressPicture& from = about_seconds_ago(2.05);
    const auto before = accepted(from);
    const auto after = accepted(latest());
    if (!before || !after) return 0;
    return per_second(*before, *after, latest().at_s - from.at_s);
}

}  // namespace posthorn
