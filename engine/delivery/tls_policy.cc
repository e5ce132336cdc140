#include "engine/delivery/tls_policy.h"

namespace posthorn {

std::string_view name_of(TlsMode mode) {
    switch (mode) {
        case TlsMode::kOff:
            return "off";
        case TlsMode::kOpportunistic:
            return "opportunistic";
        case TlsMode::kRequired:
            return "required";
        case TlsMode::kVerify:
            return "verify";
    }
    return "";
}

std::optional<TlsMode> parse_tls_mode(std::string_view name) {
    for (const TlsMode mode :
         {TlsMode::kOff, TlsMode::kOpportunistic, TlsMode::kRequired, TlsMode::kVerify})
        if (name == name_of(mode)) return mode;
    return std::nullopt;
}

std::string_view name_of(TlsResult result) {
    switch (result) {
        case TlsResult::kSuccess:
            return "success";
        case TlsResult::kStartTlsNotSupported:
            return "starttls-not-supported";
        case TlsResult::kCertificateHostMismatch:
            return "certificate-host-mismatch";
        case TlsResult::kCertificateExpired:
            return "certificate-expired";
        case TlsResult::kCertificateNotTrusted:
            return "certificate-not-trusted";
        case TlsResult::kValidationFailure:
            return "validation-failure";
        case TlsResult::kTlsaInvalid:
            return "tlsa-invalid";
    }
    return "";
}

}  // namespace posthorn
