#include "tools/posthorn/picture.h"

#include <algorithm>
#include <numeric>

#include "engine/base/units.h"

namespace posthorn {

namespace {

double seconds_of(Instant now) {
    return std::chrono::duration<double>(now.time_since_epoch()).count();
}

// What a notice tells in its text it tells without the verb.
std::string words_of(const Notice& notice) {
    switch (notice.kind) {
        case Notice::Kind::kCampaignFinished:
            return notice.text + " is finished";
        case Notice::Kind::kCampaignPaused:
            return "paused, " + notice.text;
        case Notice::Kind::kCampaignResumed:
            return notice.text + " goes on";
        case Notice::Kind::kCampaignCancelled:
            return notice.text + " is cancelled";
        case Notice::Kind::kDomainRejected:
            return "no mail is accepted for " + notice.text;
        case Notice::Kind::kReplyRefused:
        case Notice::Kind::kSiteTrouble:
            break;
    }
    return notice.text;
}

}  // namespace

ProgressPicture picture_of(const CampaignRecord& record, Instant now) {
    ProgressPicture picture;
    picture.at_s = seconds_of(now);
    picture.id = record.id;
    picture.name = record.id;
    picture.state = record.state;
    picture.pause_reason = record.pause_reason;
    picture.recipients = record.audience.recipients;
    return picture;
}

ProgressPicture picture_of(const CampaignView& campaign, const RuntimeView& view,
                           const std::vector<Notice>& notices) {
    ProgressPicture picture = picture_of(campaign.record, view.now.instant);
    picture.by_state = campaign.figures.by_state;
    const std::uint64_t known =
        std::accumulate(picture.by_state.begin() + 1, picture.by_state.end(), std::uint64_t{0});
    picture.by_state[static_cast<std::size_t>(OutcomeState::kPending)] =
        picture.recipients - std::min(picture.recipients, known);
    picture.attempts = campaign.figures.attempts;
    picture.in_flight = campaign.in_flight;
    picture.sessions = view.status.sessions;
    picture.opening = view.status.opening;
    for (const SiteView& site : view.status.busiest) {
        if (picture.sites.size() == ProgressPicture::kSitesShown) break;
        picture.sites.push_back({site.name, site.sessions, site.accepted, site.deferred,
                                 site.refused, site.waits_for, site.last_failure});
    }
    for (const Notice& notice : notices)
        if (notice.campaign == 0 || notice.campaign == campaign.record.number)
            picture.notices.push_back(words_of(notice));
    picture.trouble = view.trouble;
    if (campaign.waits_until && picture.trouble.empty())
        picture.trouble = *campaign.waits_until == WallTime::max()
                              ? "no window of its schedule comes any more"
                              : "outside its schedule until " + rfc3339(*campaign.waits_until);
    return picture;
}

}  // namespace posthorn
