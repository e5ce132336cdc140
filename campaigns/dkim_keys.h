// The private keys with which a campaign's messages are signed, read from the files that it names.
// They are read again whenever the campaign starts, and never stored.
#pragma once

#include <memory>
#include <string>

#include "campaigns/campaign.h"
#include "engine/base/result.h"
#include "engine/mail/dkim_key.h"
#include "engine/mail/dkim_signer.h"

namespace posthorn {

Result<DkimKey> read_dkim_key(const std::string& file);

// For all of the campaign's signatures; null when it has none. An error names the file.
Result<std::shared_ptr<const DkimSigner>> dkim_signer(const Campaign& campaign);

}  // namespace posthorn
