// What a campaign says, in the form from which messages are compiled.
#pragma once

#include <string>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/message.h"

namespace posthorn {

// Contents must be there (attach_contents() after a restart). Columns are those of the audience.
// Names of template files in faults are as directory-less as the files' own names.
MessageContent message_content(const Campaign& campaign, std::vector<std::string> columns);

}  // namespace posthorn
