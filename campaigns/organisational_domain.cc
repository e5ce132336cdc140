#include "campaigns/organisational_domain.h"

#include <libpsl.h>

namespace posthorn {

std::string organisational_domain(std::string_view domain) {
    const std::string name(domain);
    const psl_ctx_t* const list = psl_builtin();
    const char* const found =
        list == nullptr ? nullptr : psl_registrable_domain(list, name.c_str());
    return found == nullptr ? name : std::string(found);
}

bool is_aligned(std::string_view domain, std::string_view from_domain, bool strict) {
    return strict ? domain == from_domain
                  : organisational_domain(domain) == organisational_domain(from_domain);
}

}  // namespace posthorn
