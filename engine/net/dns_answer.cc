#include "engine/net/dns_answer.h"

#include <algorithm>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/net/dns_message.h"

namespace posthorn {
namespace {

using Kind = DnsAnswer::Kind;

constexpr int kAliasesInAnswerMax = 16;          // links of one chain within one message
constexpr std::uint32_t kTtlMax_s = 0x7fffffff;  // RFC 2181 section 8: beyond it, zero

Duration ttl_of(std::uint32_t ttl_s) { return std::chrono::seconds(ttl_s > kTtlMax_s ? 0 : ttl_s); }

DnsAnswer temporary(std::string detail) {
    DnsAnswer answer;
    answer.detail = std::move(detail);
    return answer;
}

std::string rcode_text(std::uint16_t rcode) {
    switch (rcode) {
        case dns::kFormErr:
            return "FORMERR";
        case dns::kServFail:
            return "SERVFAIL";
        case dns::kNotImp:
            return "NOTIMP";
        case dns::kRefused:
            return "REFUSED";
        default:
            return "rcode " + std::to_string(rcode);
    }
}

const dns::Record* find_record(const std::vector<dns::Record>& records, std::string_view owner,
                               std::uint16_t type) {
    const auto found = std::ranges::find_if(records, [&](const dns::Record& record) {
        return record.type == type && record.klass == dns::kClassIn &&
               ascii_lowered(record.name) == owner;
    });
    return found == records.end() ? nullptr : &*found;
}

// Moves `name` to the end of its chain of aliases; false if there is none.
bool follow_aliases(const DnsMessage& message, std::string& name, Duration& ttl) {
    for (int i = 0; i <= kAliasesInAnswerMax; ++i) {
        const dns::Record* record = find_record(message.answers, name, dns::kCname);
        const auto* target = record ? std::get_if<dns::NameTarget>(&record->value) : nullptr;
        if (target == nullptr) return true;
        name = ascii_lowered(target->name);
        ttl = std::min(ttl, ttl_of(record->ttl_s));
    }
    return false;
}

// True if the value is of a type that answers keep.
bool take(DnsAnswer& answer, const dns::RecordValue& value) {
    if (const auto* mx = std::get_if<dns::MailExchange>(&value)) {
        answer.mx.push_back({mx->preference, ascii_lowered(mx->host)});
    } else if (const auto* a = std::get_if<dns::Address4>(&value)) {
        answer.addresses.push_back(IpAddress::v4(a->octets));
    } else if (const auto* aaaa = std::get_if<dns::Address6>(&value)) {
        answer.addresses.push_back(IpAddress::v6(aaaa->octets));
    } else if (const auto* text = std::get_if<dns::Text>(&value)) {
        std::string joined;
        for (const std::string& part : text->strings) joined += part;
        answer.texts.push_back(std::move(joined));
    } else if (const auto* target = std::get_if<dns::NameTarget>(&value)) {
        answer.names.push_back(ascii_lowered(target->name));
    } else if (const auto* tlsa = std::get_if<dns::TlsAssociation>(&value)) {
        answer.tlsa.push_back({tlsa->usage, tlsa->selector, tlsa->matching, tlsa->bytes});
    } else {
        return false;
    }
    return true;
}

// RFC 2308 section 5: the lesser of the SOA's own TTL and its minimum.
const dns::Record* find_authority(const DnsMessage& message, Duration& ttl) {
    for (const dns::Record& record : message.authority) {
        const auto* soa = std::get_if<dns::Authority>(&record.value);
        if (soa == nullptr) continue;
        ttl = std::min({ttl, ttl_of(record.ttl_s), ttl_of(soa->minimum_s)});
        return &record;
    }
    return nullptr;
}

bool answers(const DnsMessage& message, const DnsQuestion& question) {
    return message.response && message.questions.size() == 1 &&
           message.questions[0].type == question.type &&
           ascii_lowered(message.questions[0].name) == question.name;
}

// A name server that sends us on to others does not resolve; it knows nothing of the name.
bool is_referral(const DnsMessage& message) {
    return !message.authoritative &&
           std::ranges::any_of(message.authority,
                               [](const dns::Record& record) { return record.type == dns::kNs; });
}

DnsAnswer without_records(const DnsMessage& message, const DnsQuestion& question,
                          std::string end_of_chain, Duration ttl) {
    DnsAnswer answer;
    answer.authentic = message.authentic;
    const bool authority = find_authority(message, ttl) != nullptr;
    const bool moved = end_of_chain != question.name;
    if (message.rcode == dns::kNxDomain) {
        answer.kind = Kind::kNoDomain;
        answer.detail = "NXDOMAIN";
    } else if (moved && !authority) {
        answer.kind = Kind::kAlias;
        answer.alias = std::move(end_of_chain);
    } else if (!authority && is_referral(message)) {
        return temporary("a referral: the server does not resolve names");
    } else {
        answer.kind = Kind::kNoRecords;
    }
    answer.ttl = ttl == Duration::max() ? Duration(0) : ttl;
    return answer;
}

}  // namespace

DnsAnswer read_dns_answer(const DnsQuestion& question, std::string_view bytes) {
    const Result<DnsMessage> message = parse_dns_message(bytes);
    if (!message) return temporary("a malformed answer: " + message.error().message);
    if (!answers(*message, question)) return temporary("an answer to another question");
    if (message->rcode != dns::kNoError && message->rcode != dns::kNxDomain)
        return temporary(rcode_text(message->rcode));

    Duration ttl = Duration::max();
    std::string name = question.name;
    DnsAnswer answer;
    answer.authentic = message->authentic;
    if (!follow_aliases(*message, name, ttl)) {
        answer.kind = Kind::kLoop;
        answer.ttl = ttl;
        answer.detail = "a loop of aliases";
        return answer;
    }
    for (const dns::Record& record : message->answers) {
        if (record.type != question.type || record.klass != dns::kClassIn) continue;
        if (ascii_lowered(record.name) != name || !take(answer, record.value)) continue;
        answer.kind = Kind::kRecords;
        ttl = std::min(ttl, ttl_of(record.ttl_s));
    }
    if (answer.kind != Kind::kRecords)
        return without_records(*message, question, std::move(name), ttl);
    answer.ttl = ttl;
    answer.owner = std::move(name);
    return answer;
}

}  // namespace posthorn
