// posthorn send FILE --test-to ADDRESS: the message that one recipient of a campaign would get,
// sent to addresses of the operator's own. Delivered like a campaign, from a data directory that
// lasts as long as the command: the real one, its queue and its suppressions are not touched.
#pragma once

#include <string>

#include "engine/server/config.h"
#include "tools/posthorn/command.h"
#include "tools/posthorn/follower.h"

namespace posthorn {

// request: file, test_to (array of addresses), as. data_directory: whose keys make the opt-out
// links, where there are any.
CommandResult run_test_send(const nlohmann::json& request, const Config& config,
                            const std::string& data_directory, SendFollower& follower);

}  // namespace posthorn
