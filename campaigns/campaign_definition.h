// The campaign as it is kept in the store: one canonical JSON text with every default filled in and
// contents replaced by their SHA-256, so that a restart needs neither the campaign file nor the
// templates; and digests by key, which tell what has changed under an id that was sent before.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "campaigns/campaign.h"
#include "engine/base/result.h"

namespace posthorn {

std::string normalise(const Campaign& campaign);

// Contents come without bytes; kCorrupt for what normalise() has not made.
Result<Campaign> load_normalised(std::string_view definition);

// Everything to be kept under its hash. Views live as long as the campaign.
struct NamedContent {
    std::string_view sha256;
    std::string_view bytes;
};
std::vector<NamedContent> contents(const Campaign& campaign);

// Fills in the bytes of a campaign from load_normalised(); fetch gives a content by its hash.
Status attach_contents(Campaign& campaign,
                       const std::function<Result<std::string>(std::string_view)>& fetch);

// Key and hash, by key, ascending. The list's rows are not among them: see list_digest() of
// audience_intake.h, kept under kListDigest.
using Digests = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::string_view kListDigest = "recipients.rows";
Digests digests(const Campaign& campaign);

// What differs between a campaign that was sent and the file as it is now.
struct CampaignChange {
    std::vector<std::string> refused;   // keys that may not change: the campaign is another one
    std::vector<std::string> recorded;  // keys that may: throttle, retry, schedule.windows
};
CampaignChange compare(const Digests& sent, const Digests& now);  // ignores kListDigest

}  // namespace posthorn
