// Variants of a campaign: who gets which, and the messages of each. The choice is a function of
// campaign id and address alone, so that it is the same for every attempt, after every restart, in
// a preview and in a report.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/campaign.h"
#include "campaigns/return_path.h"
#include "engine/delivery/renderer.h"
#include "engine/mail/dkim_signer.h"

namespace posthorn {

class VariantChoice {
  public:
    // At least one variant; the sum of the weights is not zero.
    explicit VariantChoice(const Campaign& campaign);

    // The audience key's campaign number does not count.
    std::size_t of(std::string_view audience_key) const;

  private:
    std::uint64_t seed_;
    std::vector<std::uint64_t> bounds_;  // ascending; of each variant, the first share beyond it
};

// The campaign as it is for those who get the variant.
Campaign with_variant(const Campaign& campaign, const Variant& variant);

// What the host, not the campaign's content, gives its messages.
struct MessageIdentity {
    std::shared_ptr<const DkimSigner> signer;      // null: messages are not signed
    std::optional<ReturnPathSealer> return_paths;  // where the campaign names none
};

// What is compiled of a campaign: one renderer, or one for each variant behind a renderer that
// chooses. Problems come with the pointers of the variants' own members.
CompiledContent compile_campaign(const Campaign& campaign, const std::vector<std::string>& columns,
                                 const TokenKeys* keys, const MessageIdentity& identity = {});

}  // namespace posthorn
