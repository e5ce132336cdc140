#include "campaigns/list_exclusions.h"

#include <algorithm>

#include "campaigns/list_reader.h"
#include "engine/base/ascii.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

std::array<char, 16> hash_of(const Address& address) {
    thread_local std::string text;  // reused: this runs for every row
    text.clear();
    for (const char c : address.local) text.push_back(ascii_lower(c));
    text.push_back('@');
    text.append(address.domain);
    return hash128(text);
}

}  // namespace

std::optional<CampaignError> ListExclusions::load(const Exclusions& exclusions) {
    domains_.insert(exclusions.domains.begin(), exclusions.domains.end());
    Address address;
    for (const std::string& written : exclusions.addresses)
        if (parse_address(written, address) == AddressFault::kNone)
            addresses_.push_back(hash_of(address));
    for (const Content& list : exclusions.lists)
        if (auto fault = read_list(list.file)) return fault;
    std::sort(addresses_.begin(), addresses_.end());
    addresses_.erase(std::unique(addresses_.begin(), addresses_.end()), addresses_.end());
    return std::nullopt;
}

std::optional<CampaignError> ListExclusions::read_list(const std::string& path) {
    OpenedList list = open_exclusion_list(path);
    const auto at_exclude = [&](CampaignError fault) {
        fault.path = "/exclude";
        return fault;
    };
    if (!list.reader) return at_exclude(list.fault);
    ListRow row;
    Address address;
    while (true) {
        const ListReader::Step step = list.reader->next(row);
        if (step == ListReader::Step::kEnd) return std::nullopt;
        if (step == ListReader::Step::kFault) return at_exclude(list.reader->fault());
        if (parse_address(row.email, address) != AddressFault::kNone) continue;
        if (addresses_.size() >= kMaxExcludedAddresses) {
            CampaignError fault;
            fault.code = CampaignErrorCode::kRange;
            fault.message = "the lists of `exclude` hold over 20,000,000 addresses";
            fault.hint = "put them into the suppression list: posthorn suppress import";
            return at_exclude(fault);
        }
        addresses_.push_back(hash_of(address));
    }
}

bool ListExclusions::contains(const Address& address) const {
    if (!domains_.empty() && domains_.contains(address.domain)) return true;
    return !addresses_.empty() &&
           std::binary_search(addresses_.begin(), addresses_.end(), hash_of(address));
}

}  // namespace posthorn
