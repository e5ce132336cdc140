// Additions to the suppression list, written in batches, and told to a running scheduler, so that
// no further attempt starts to an address that was just put on it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/mail/address.h"
#include "engine/queue/model.h"
#include "tools/posthorn/commands.h"

namespace posthorn {

class SuppressionBatch {
  public:
    explicit SuppressionBatch(const CommandContext& context) : context_(context) {}

    Status add(const Address& address, SuppressionRecord record);  // of this address
    Status finish();                                               // writes the rest; call last

  private:
    static constexpr std::size_t kBatchMax = 1000;

    const CommandContext& context_;
    WriteBatch batch_;
    std::vector<std::pair<std::string, std::string>> added_;  // domain, folded local part
};

}  // namespace posthorn
