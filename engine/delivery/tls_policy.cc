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
        case TlsResult::kDnssecInvalid:
            return "dnssec-invalid";
        case TlsResult::kStsPolicyFetchError:
            return "sts-policy-fetch-error";
        case TlsResult::kStsPolicyInvalid:
            return "sts-policy-invalid";
        case TlsResult::kStsWebpkiInvalid:
            return "sts-webpki-invalid";
    }
    return "";
}

std::string_view name_of(TlsPolicyType type) {
    switch (type) {
        case TlsPolicyType::kNone:
            return "no-policy-found";
        case TlsPolicyType::kSts:
            return "sts";
        case TlsPolicyType::kTlsa:
            return "tlsa";
    }
    return "";
}

std::optional<TlsPolicyType> parse_tls_policy_type(std::string_view name) {
    for (const TlsPolicyType type :
         {TlsPolicyType::kNone, TlsPolicyType::kSts, TlsPolicyType::kTlsa})
        if (name == name_of(type)) return type;
    return std::nullopt;
}

}  // namespace posthorn
