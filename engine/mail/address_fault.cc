#include "engine/mail/address.h"

namespace posthorn {

std::string_view reason(AddressFault fault) {
    switch (fault) {
        case AddressFault::kNone:
            return "";
        case AddressFault::kEmpty:
            return "empty";
        case AddressFault::kTooLong:
            return "longer than 254";
        case AddressFault::kNoAt:
            return "no @ after the local part";
        case AddressFault::kLocalEmpty:
            return "nothing before the @";
        case AddressFault::kLocalTooLong:
            return "local part longer than 64";
        case AddressFault::kLocalSyntax:
            return "bad character or dot in the local part";
        case AddressFault::kDomainEmpty:
            return "no domain";
        case AddressFault::kDomainTooLong:
            return "domain longer than 253";
        case AddressFault::kDomainSyntax:
            return "not a domain name";
        case AddressFault::kDomainOneLabel:
            return "domain without a dot";
        case AddressFault::kLabelEmpty:
            return "domain with an empty label";
        case AddressFault::kLabelTooLong:
            return "domain label longer than 63";
        case AddressFault::kDomainLiteral:
            return "address literals are not accepted";
        case AddressFault::kDomainIdn:
            return "not an international domain name";
        case AddressFault::kUtf8:
            return "not UTF-8";
        case AddressFault::kControl:
            return "control character";
        case AddressFault::kName:
            return "bad display name";
        case AddressFault::kBrackets:
            return "misplaced angle brackets";
        case AddressFault::kComment:
            return "comments are not accepted";
        case AddressFault::kSeveral:
            return "more than one address";
    }
    return "";
}

}  // namespace posthorn
