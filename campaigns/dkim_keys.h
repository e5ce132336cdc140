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

// Whether DMARC takes a signature by `domain` for mail from `from_domain` (RFC 7489 section 3.1.1,
// relaxed): both belong to one organisation, by the public suffix list.
bool dkim_aligned(const std::string& domain, const std::string& from_domain);

}  // namespace posthorn
