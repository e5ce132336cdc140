// What readers, receivers and the law would hold against a message as one recipient gets it:
// subject, sender, links, images, opt-out, postal address, size, words that filters know. Looks at
// the rendered message alone; opens no connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/message.h"

namespace posthorn {

// Beyond it Gmail cuts the message off and hides the rest, the opt-out with it.
inline constexpr std::size_t kClippedHtmlBytes = 102 * 1024;
inline constexpr std::size_t kLargeMessageBytes = 1u << 20;

// Faults of the campaign as everybody gets it: sender, one-click, plain text, attachments.
std::vector<CampaignError> check_campaign_content(const Campaign& campaign);

// Faults of one recipient's message. wire_bytes: of the whole of it.
std::vector<CampaignError> check_readable(const Campaign& campaign, const ReadableMessage& message,
                                          std::size_t wire_bytes);

// postmaster, abuse, noreply and the like: read by nobody, or by those who report spam.
bool is_role_account(std::string_view local_part);

}  // namespace posthorn
