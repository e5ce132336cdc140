#include "engine/mail/mail_hosts.h"

#include "engine/base/check.h"

namespace posthorn {

std::string_view name_of(DnsVerdict verdict) {
    switch (verdict) {
        case DnsVerdict::kFound:
            return "found";
        case DnsVerdict::kNullMx:
            return "null_mx";
        case DnsVerdict::kNoDomain:
            return "no_domain";
        case DnsVerdict::kNoAddress:
            return "no_address";
        case DnsVerdict::kTemporary:
            return "temporary";
        case DnsVerdict::kLoop:
            return "loop";
    }
    CHECK(false);
}

}  // namespace posthorn
