#include "tools/sink/zone.h"

#include <algorithm>
#include <charconv>

namespace posthorn::sink {

namespace {

constexpr std::size_t kUdpBytesMax = 1232;  // what passes everywhere (DNS flag day 2020)
constexpr std::string_view kReverse = ".in-addr.arpa";
constexpr std::string_view kTlsaPrefix = "_25._tcp.";
constexpr std::string_view kAliasPrefix = "cname.";
constexpr std::string_view kLoopPrefix = "loop.";

dns::Record soa_of(const std::string& name, std::uint32_t ttl_s) {
    return {name, dns::kSoa, dns::kClassIn, ttl_s,
            dns::Authority{"ns.sink.test", "hostmaster.sink.test", 1, 3600, 600, 86400, ttl_s}};
}

dns::Address4 to_record(std::uint32_t address) {
    dns::Address4 out;
    for (std::size_t i = 0; i < 4; ++i)
        out.octets[i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
    return out;
}

// "4.3.2.127" is 127.2.3.4.
std::optional<std::uint32_t> parse_reverse(std::string_view labels) {
    std::uint32_t address = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const std::string_view label = labels.substr(0, labels.find('.'));
        unsigned octet = 0;
        const auto [end, fault] = std::from_chars(label.data(), label.data() + label.size(), octet);
        if (fault != std::errc() || end != label.data() + label.size() || octet > 255)
            return std::nullopt;
        address |= octet << shift;
        labels.remove_prefix(std::min(label.size() + 1, labels.size()));
    }
    return labels.empty() ? std::optional(address) : std::nullopt;
}

}  // namespace

// The question, its name in lower case, and the entry it falls under.
struct Zone::Asked {
    const dns::Question& question;
    std::string name;
    const Entry* entry;

    dns::Record record(dns::RecordValue value) const {
        return {question.name, question.type, dns::kClassIn, entry->ttl_s, std::move(value)};
    }
};

Zone::Zone(Names& names, std::string key_digest)
    : names_(names), key_digest_(std::move(key_digest)) {}

std::optional<DnsMessage> Zone::answer(const DnsMessage& query) {
    DnsMessage out;
    out.id = query.id;
    out.opcode = query.opcode;
    out.response = true;
    out.authoritative = true;
    out.recursion_desired = query.recursion_desired;
    out.recursion_available = true;
    out.questions = query.questions;
    if (query.edns) out.edns = dns::Edns{kUdpBytesMax, 0, query.edns->dnssec_ok};
    if (query.opcode != 0) {
        out.rcode = dns::kNotImp;
        return out;
    }
    if (query.questions.size() != 1 || query.questions[0].klass != dns::kClassIn) {
        out.rcode = query.questions.size() == 1 ? dns::kRefused : dns::kFormErr;
        return out;
    }
    Asked asked{query.questions[0], query.questions[0].name, nullptr};
    for (char& c : asked.name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    std::string_view owner = asked.name;  // _dmarc.a.test fares as a.test does
    while (owner.starts_with('_') && owner.find('.') != std::string_view::npos)
        owner.remove_prefix(owner.find('.') + 1);
    asked.entry = &names_.entry_for(owner);
    bool dropped = false;
    if (asked.name.ends_with(".arpa"))
        answer_reverse(asked, out);
    else if (asked.name.starts_with(kTlsaPrefix))
        answer_tlsa(asked, out);
    else
        answer_mode(asked, out, dropped);
    if (dropped) return std::nullopt;
    if (out.answers.empty() && out.rcode != dns::kServFail)
        out.authority.push_back(soa_of(asked.question.name, asked.entry->ttl_s));
    return out;
}

// The names below a domain, such as its MX hosts, are in order whatever is wrong with the domain:
// unless they were asked for as domains, an entry of their own decides, and shares are drawn again.
void Zone::answer_mode(const Asked& asked, DnsMessage& out, bool& dropped) {
    const bool about_mail = asked.question.type == dns::kMx;
    const bool about_address = asked.question.type == dns::kA || asked.question.type == dns::kAaaa;
    const Host* host = about_address ? &names_.host(asked.name) : nullptr;
    if (host && host->entry != asked.entry && host->entry->dns != DnsMode::kNxDomain)
        return answer_name(asked, out);
    const auto alias = [&](std::string target) {
        dns::Record record = asked.record(dns::NameTarget{target});
        record.type = dns::kCname;
        out.answers.push_back(std::move(record));
        return target;
    };
    switch (asked.entry->dns) {
        case DnsMode::kNxDomain:
            out.rcode = dns::kNxDomain;
            return;
        case DnsMode::kServFail:
            out.rcode = dns::kServFail;
            return;
        case DnsMode::kTimeout:
            dropped = true;
            return;
        case DnsMode::kNullMx:
            if (!about_mail) return answer_name(asked, out);
            out.answers.push_back(asked.record(dns::MailExchange{0, ""}));
            return;
        case DnsMode::kLoop: {
            const bool looped = asked.name.starts_with(kLoopPrefix);
            alias(looped ? asked.name.substr(kLoopPrefix.size())
                         : std::string(kLoopPrefix) + asked.name);
            return;
        }
        case DnsMode::kCname: {
            if (!about_mail || asked.name.starts_with(kAliasPrefix)) break;
            const dns::Question next{alias(std::string(kAliasPrefix) + asked.name), dns::kMx,
                                     dns::kClassIn};
            return answer_mail_domain({next, next.name, asked.entry}, out);
        }
        case DnsMode::kOk:
            break;
    }
    if (about_mail) return answer_mail_domain(asked, out);
    answer_name(asked, out);
}

void Zone::answer_mail_domain(const Asked& asked, DnsMessage& out) {
    std::uint16_t preference = 10;
    out.authentic = asked.entry->dane != Dane::kOff;
    for (const std::string& name : names_.mx_of(asked.name)) {
        out.answers.push_back(asked.record(dns::MailExchange{preference, name}));
        preference = static_cast<std::uint16_t>(preference + 10);
        const Host& host = names_.host(name);
        out.additional.push_back(
            {name, dns::kA, dns::kClassIn, host.entry->ttl_s, to_record(host.address)});
    }
}

void Zone::answer_name(const Asked& asked, DnsMessage& out) {
    switch (asked.question.type) {
        case dns::kA: {
            const Host& host = names_.host(asked.name);
            out.answers.push_back(asked.record(to_record(host.address)));
            out.authentic = host.entry->dane != Dane::kOff;
            return;
        }
        case dns::kTxt:
            if (asked.name.starts_with("_dmarc."))
                out.answers.push_back(asked.record(dns::Text{{"v=DMARC1; p=none"}}));
            else if (asked.name.starts_with("_mta-sts.") && !asked.entry->sts.empty())
                out.answers.push_back(
                    asked.record(dns::Text{{"v=STSv1; id=" + asked.entry->sts + ";"}}));
            else if (!asked.name.starts_with('_'))
                out.answers.push_back(asked.record(dns::Text{{"v=spf1 ip4:127.0.0.0/8 -all"}}));
            return;
        case dns::kSoa:
            out.answers.push_back(soa_of(asked.question.name, asked.entry->ttl_s));
            return;
        default:
            return;  // the name is there, this type of record is not
    }
}

void Zone::answer_reverse(const Asked& asked, DnsMessage& out) {
    const std::string_view name = asked.name;
    const auto address = name.ends_with(kReverse)
                             ? parse_reverse(name.substr(0, name.size() - kReverse.size()))
                             : std::nullopt;
    if (!address || *address >> 24 != 127) {
        out.rcode = dns::kNxDomain;
        return;
    }
    if (asked.question.type != dns::kPtr) return;
    const Host* host = names_.named_at(*address);
    std::string target = *address == 0x7f000001 ? "localhost" : host ? host->name : "";
    if (target.empty() || target == address_text(*address)) {
        target = address_text(*address) + ".sink.test";
        std::replace(target.begin(),
                     target.begin() + static_cast<std::ptrdiff_t>(target.find(".sink")), '.', '-');
    }
    out.answers.push_back(asked.record(dns::NameTarget{target}));
}

void Zone::answer_tlsa(const Asked& asked, DnsMessage& out) {
    const Host& host = names_.host(std::string_view(asked.name).substr(kTlsaPrefix.size()));
    out.authentic = host.entry->dane != Dane::kOff;
    if (host.entry->dane == Dane::kServFail) out.rcode = dns::kServFail;
    if (asked.question.type != dns::kTlsa ||
        (host.entry->dane != Dane::kOk && host.entry->dane != Dane::kWrong))
        return;
    std::string digest = key_digest_;  // of the key: certificates of all hosts have the same
    if (host.entry->dane == Dane::kWrong) std::reverse(digest.begin(), digest.end());
    out.answers.push_back(asked.record(dns::TlsAssociation{3, 1, 1, std::move(digest)}));
}

std::string answer_bytes(Zone& zone, std::string_view query, bool tcp) {
    const auto parsed = parse_dns_message(query);
    if (!parsed || parsed->response) return {};  // an answer to an answer could go on for ever
    const auto answer = zone.answer(*parsed);
    if (!answer) return {};
    std::size_t bytes_max = dns::kMessageBytesMax;
    if (!tcp) {
        const std::size_t offered = parsed->edns ? parsed->edns->udp_bytes : 0;
        bytes_max = std::clamp(offered, dns::kPlainUdpBytes, kUdpBytesMax);
    }
    auto bytes = build_dns_message(*answer, bytes_max);
    return bytes ? *std::move(bytes) : std::string();
}

}  // namespace posthorn::sink
