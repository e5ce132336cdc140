// The links and images of a rendered HTML part, and what is wrong with them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"

namespace posthorn {

CampaignError content_problem(CampaignErrorCode code, Severity severity, const std::string& path,
                              std::string message, std::string hint);

// Broken, insecure, misleading and shortened links; images by cid against the attachments.
std::vector<CampaignError> check_links(const Campaign& campaign, std::string_view html);
std::vector<CampaignError> check_text_links(const Campaign& campaign, std::string_view text);

// Every href, entities decoded, one a line.
std::string links_of(std::string_view html);

struct HtmlImages {
    std::size_t count = 0;  // but those of 1 or 2 pixels
    std::size_t without_alt = 0;
};
HtmlImages images_of(std::string_view html);

// The text outside tags, blanks collapsed: what is left to read when images are not shown.
std::string words_beside_images(std::string_view html);

}  // namespace posthorn
