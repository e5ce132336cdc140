#include "campaigns/sender_dns.h"

#include <algorithm>
#include <map>
#include <optional>

#include "campaigns/organisational_domain.h"
#include "engine/base/ascii.h"
#include "engine/mail/dkim_record.h"

namespace posthorn {
namespace {

using Code = CampaignErrorCode;
using State = DnsReply::State;
using Type = DnsQuery::Type;

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

// "v=DMARC1; p=none; …" (RFC 6376 section 3.2, which DMARC follows).
std::map<std::string, std::string> tags_of(std::string_view record) {
    std::map<std::string, std::string> tags;
    while (!record.empty()) {
        const std::size_t end = std::min(record.find(';'), record.size());
        const std::string_view tag = record.substr(0, end);
        record.remove_prefix(std::min(end + 1, record.size()));
        const std::size_t equals = tag.find('=');
        if (equals == std::string_view::npos) continue;
        tags.emplace(ascii_lowered(trimmed(tag.substr(0, equals))),
                     trimmed(tag.substr(equals + 1)));
    }
    return tags;
}

class SenderDnsCheck {
  public:
    SenderDnsCheck(const SenderDns& sender, const DnsLookup& lookup)
        : sender_(sender), lookup_(lookup) {}

    std::vector<CampaignError> run() {
        check_takes_mail(sender_.from_domain, "/from", "replies");
        if (sender_.return_path_domain != sender_.from_domain)
            check_takes_mail(sender_.return_path_domain, "/return_path", "bounces");
        check_spf();
        for (const SigningIdentity& signer : sender_.signers) check_key(signer);
        check_dmarc();
        for (const SendingAddress& source : sender_.sources) check_source(source);
        return std::move(problems_);
    }

  private:
    void note(Code code, Severity severity, const std::string& path, std::string message,
              std::string hint) {
        CampaignError error;
        error.code = code;
        error.severity = severity;
        error.path = path;
        error.message = std::move(message);
        error.hint = std::move(hint);
        problems_.push_back(std::move(error));
    }

    // Nothing when the question could not be answered; that is noted.
    std::optional<DnsReply> ask(Type type, const std::string& name, const std::string& path) {
        DnsReply reply = lookup_({type, name});
        if (reply.state != State::kFailed) return reply;
        note(Code::kDnsFailed, Severity::kWarning, path,
             "the DNS gave no answer about " + name +
                 (reply.detail.empty() ? "" : ": " + reply.detail),
             "try again; see `dns.servers` in posthorn.json");
        return std::nullopt;
    }

    // The records among the texts of a name that begin with the version.
    std::optional<std::vector<std::string>> texts(const std::string& name, std::string_view version,
                                                  const std::string& path) {
        const auto reply = ask(Type::kTxt, name, path);
        if (!reply) return std::nullopt;
        std::vector<std::string> out;
        for (const std::string& record : reply->records)
            if (ascii_lowered(record).starts_with(version)) out.push_back(record);
        return out;
    }

    void check_takes_mail(const std::string& domain, const std::string& path,
                          const std::string& what);
    void check_spf();
    void check_key(const SigningIdentity& signer);
    void check_dmarc();
    void check_alignment(const std::map<std::string, std::string>& policy);
    void check_source(const SendingAddress& source);

    const SenderDns& sender_;
    const DnsLookup& lookup_;
    std::vector<CampaignError> problems_;
    std::optional<bool> spf_found_;  // nothing: the DNS did not say
};

void SenderDnsCheck::check_takes_mail(const std::string& domain, const std::string& path,
                                      const std::string& what) {
    const auto mx = ask(Type::kMx, domain, path);
    if (!mx) return;
    if (mx->state == State::kFound) {
        if (mx->records.size() == 1 && mx->records.front().empty())
            note(Code::kDnsMx, Severity::kError, path,
                 domain + " says that it takes no mail (null MX)",
                 "receivers refuse such senders: use a domain that takes " + what);
        return;
    }
    const auto address = ask(Type::kAddress, domain, path);
    if (!address) return;
    if (address->state == State::kFound)
        note(Code::kDnsMx, Severity::kWarning, path, domain + " has no MX record",
             what + " go to the host of that name: add an MX record");
    else
        note(Code::kDnsUnresolved, Severity::kError, path,
             domain + " has neither an MX record nor an address",
             "receivers refuse senders that do not exist, and " + what + " are lost");
}

void SenderDnsCheck::check_spf() {
    const std::string& domain = sender_.return_path_domain;
    const auto records = texts(domain, "v=spf1", "/return_path");
    if (!records) return;
    spf_found_ = records->size() == 1;
    if (records->empty())
        return note(Code::kDnsSpf, Severity::kWarning, "/return_path",
                    domain + " has no SPF record",
                    "add TXT \"v=spf1 ip4:… -all\" with the addresses that send");
    if (records->size() > 1)
        return note(Code::kDnsSpf, Severity::kError, "/return_path",
                    domain + " has " + std::to_string(records->size()) + " SPF records",
                    "keep one: receivers take several for an error (RFC 7208 section 4.5)");
    const std::string terms = " " + ascii_lowered(records->front()) + " ";
    if (terms.find(" +all ") != std::string::npos || terms.find(" all ") != std::string::npos)
        note(Code::kDnsSpf, Severity::kWarning, "/return_path",
             "the SPF record of " + domain + " lets everybody send in its name",
             "end it with -all or ~all");
}

void SenderDnsCheck::check_key(const SigningIdentity& signer) {
    const std::string name = dkim_record_name(signer.selector, signer.domain);
    const auto reply = ask(Type::kTxt, name, "/dkim");
    if (!reply) return;
    const DkimRecordFault fault = record_fault(signer.key, reply->records);
    if (fault == DkimRecordFault::kNone) return;
    const bool harmless = fault == DkimRecordFault::kTesting;
    note(Code::kDnsDkim, harmless ? Severity::kWarning : Severity::kError, "/dkim",
         name + ": " + std::string(reason(fault)),
         harmless ? "take t=y out once the signatures are trusted"
                  : "publish TXT \"" + dkim_record_for(signer.key) + "\"");
}

void SenderDnsCheck::check_dmarc() {
    std::string at = sender_.from_domain;
    auto records = texts("_dmarc." + at, "v=dmarc1", "/from");
    const std::string organisation = organisational_domain(sender_.from_domain);
    if (records && records->empty() && organisation != at) {
        at = organisation;
        records = texts("_dmarc." + at, "v=dmarc1", "/from");
    }
    if (!records) return;
    if (records->empty())
        return note(Code::kDnsDmarc, Severity::kWarning, "/from",
                    sender_.from_domain + " has no DMARC policy",
                    "Gmail and Yahoo ask it of bulk senders: add TXT \"v=DMARC1; p=none\" at "
                    "_dmarc." +
                        organisation);
    if (records->size() > 1)
        return note(Code::kDnsDmarc, Severity::kWarning, "/from",
                    "_dmarc." + at + " has " + std::to_string(records->size()) + " policies",
                    "keep one: receivers ignore several");
    const auto policy = tags_of(records->front());
    const auto p = policy.find("p");
    const std::string wanted = p == policy.end() ? "" : ascii_lowered(p->second);
    if (wanted != "none" && wanted != "quarantine" && wanted != "reject")
        note(Code::kDnsDmarc, Severity::kWarning, "/from",
             "the DMARC policy at _dmarc." + at + " says p=" + wanted,
             "p is none, quarantine or reject");
    check_alignment(policy);
}

// DMARC passes when SPF or DKIM passes for a domain aligned with From.
void SenderDnsCheck::check_alignment(const std::map<std::string, std::string>& policy) {
    const auto strict = [&policy](const char* tag) {
        const auto found = policy.find(tag);
        return found != policy.end() && ascii_lowered(found->second) == "s";
    };
    const bool by_spf = spf_found_.value_or(true) &&
                        is_aligned(sender_.return_path_domain, sender_.from_domain, strict("aspf"));
    const bool by_key = std::any_of(
        sender_.signers.begin(), sender_.signers.end(), [&](const SigningIdentity& signer) {
            return is_aligned(signer.domain, sender_.from_domain, strict("adkim"));
        });
    if (by_spf || by_key) return;
    const auto p = policy.find("p");
    const bool enforced = p != policy.end() && ascii_lowered(p->second) != "none";
    note(Code::kDnsDmarc, enforced ? Severity::kError : Severity::kWarning, "/from",
         "neither SPF of " + sender_.return_path_domain + " nor a DKIM signature is aligned with " +
             sender_.from_domain,
         enforced ? "receivers will refuse the mail: sign as the From domain, or bounce to it"
                  : "sign as the From domain, or use a return path in it");
}

// The PTR record's name leads back to the address, and so does the name in EHLO.
void SenderDnsCheck::check_source(const SendingAddress& source) {
    const std::string ip = source.ip.to_string();
    const auto leads_to = [&](const std::string& name) -> std::optional<bool> {
        const auto addresses = ask(Type::kAddress, name, "");
        if (!addresses) return std::nullopt;
        return std::find(addresses->records.begin(), addresses->records.end(), ip) !=
               addresses->records.end();
    };
    const auto names = ask(Type::kPtr, reverse_name(source.ip), "");
    if (names && names->records.empty())
        note(Code::kDnsPtr, Severity::kWarning, "", ip + " has no name (PTR record)",
             "large providers refuse such addresses: ask who gave you the address for one");
    if (names && !names->records.empty()) {
        bool confirmed = false, certain = true;
        for (const std::string& name : names->records) {
            const auto leads = leads_to(name);
            confirmed = confirmed || leads.value_or(false);
            certain = certain && leads.has_value();
        }
        if (!confirmed && certain)
            note(Code::kDnsPtr, Severity::kWarning, "",
                 names->records.front() + ", the name of " + ip + ", does not lead back to it",
                 "give that name an address record for " + ip);
    }
    if (const auto leads = leads_to(source.ehlo); leads && !*leads)
        note(Code::kDnsPtr, Severity::kWarning, "",
             source.ehlo + ", said in EHLO, does not lead to " + ip,
             "set `ehlo` of the source in posthorn.json to a name that does");
}

}  // namespace

std::vector<CampaignError> check_sender_dns(const SenderDns& sender, const DnsLookup& lookup) {
    return SenderDnsCheck(sender, lookup).run();
}

std::string reverse_name(const IpAddress& ip) {
    std::string out;
    const auto bytes = ip.bytes();
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        constexpr char kHex[] = "0123456789abcdef";
        if (ip.is_v6())
            out.append({kHex[*byte & 15], '.', kHex[*byte >> 4], '.'});
        else
            out.append(std::to_string(*byte)).push_back('.');
    }
    return out + (ip.is_v6() ? "ip6.arpa" : "in-addr.arpa");
}

}  // namespace posthorn
