#include "tools/posthorn/sender_dns_lookup.h"

#include "campaigns/dkim_keys.h"
#include "engine/net/dns_message.h"
#include "engine/net/loop.h"
#include "engine/net/resolver.h"

namespace posthorn {

namespace {

constexpr int kAliasesMax = 8;

DnsReply reply_of(const DnsAnswer& answer) {
    DnsReply reply;
    reply.detail = answer.detail;
    switch (answer.kind) {
        case DnsAnswer::Kind::kRecords:
            reply.state = DnsReply::State::kFound;
            break;
        case DnsAnswer::Kind::kNoRecords:
            reply.state = DnsReply::State::kNone;
            break;
        case DnsAnswer::Kind::kNoDomain:
            reply.state = DnsReply::State::kNoDomain;
            break;
        default:
            break;
    }
    for (const MxRecord& mx : answer.mx) reply.records.push_back(mx.name);
    for (const IpAddress& address : answer.addresses) reply.records.push_back(address.to_string());
    for (const std::string& text : answer.texts) reply.records.push_back(text);
    for (const std::string& name : answer.names) reply.records.push_back(name);
    return reply;
}

}  // namespace

struct SenderDnsLookup::State {
    Loop loop;
    std::unique_ptr<Resolver> resolver;

    DnsAnswer ask(std::string name, std::uint16_t type) {
        DnsAnswer answer;
        for (int aliases = 0; aliases <= kAliasesMax; ++aliases) {
            bool answered = false;
            const bool asked = resolver->ask({name, type}, [&](const DnsAnswer& found) {
                answer = found;
                answered = true;
            });
            while (asked && !answered) loop.turn();
            if (!asked || answer.kind != DnsAnswer::Kind::kAlias) return answer;
            name = answer.alias;
        }
        answer = {};
        answer.detail = "a loop of aliases";
        return answer;
    }
};

SenderDnsLookup::SenderDnsLookup(std::unique_ptr<State> state) : state_(std::move(state)) {}
SenderDnsLookup::~SenderDnsLookup() = default;

Result<std::unique_ptr<SenderDnsLookup>> SenderDnsLookup::create(
    const std::vector<std::string>& servers) {
    auto state = std::make_unique<State>();
    ResolverOptions options;
    options.servers = servers;
    auto resolver = Resolver::create(state->loop, std::move(options), Random(0));
    if (!resolver) return resolver.error();
    state->resolver = std::move(resolver).value();
    return std::unique_ptr<SenderDnsLookup>(new SenderDnsLookup(std::move(state)));
}

DnsReply SenderDnsLookup::ask(const DnsQuery& query) {
    switch (query.type) {
        case DnsQuery::Type::kMx:
            return reply_of(state_->ask(query.name, dns::kMx));
        case DnsQuery::Type::kTxt:
            return reply_of(state_->ask(query.name, dns::kTxt));
        case DnsQuery::Type::kPtr:
            return reply_of(state_->ask(query.name, dns::kPtr));
        case DnsQuery::Type::kAddress:
            break;
    }
    DnsReply reply = reply_of(state_->ask(query.name, dns::kA));
    DnsReply v6 = reply_of(state_->ask(query.name, dns::kAaaa));
    if (reply.state != DnsReply::State::kFound && v6.state == DnsReply::State::kFound) return v6;
    for (std::string& address : v6.records) reply.records.push_back(std::move(address));
    return reply;
}

SenderDns sender_dns_of(const Campaign& campaign, const Config& config) {
    SenderDns sender;
    sender.from_domain = campaign.from.domain;
    sender.return_path_domain = campaign.return_path            ? campaign.return_path->domain
                                : !config.bounce_domain.empty() ? config.bounce_domain
                                                                : campaign.from.domain;
    // What is wrong with a key file has been said by the check of the campaign.
    for (const DkimSignature& signature : campaign.dkim)
        if (auto key = read_dkim_key(signature.key_file))
            sender.signers.push_back({signature.domain, signature.selector, std::move(*key)});
    for (const Source& source : config.sources) {
        const std::string& ehlo = source.ehlo.empty() ? config.ehlo : source.ehlo;
        if (source.address && !ehlo.empty()) sender.sources.push_back({*source.address, ehlo});
    }
    return sender;
}

}  // namespace posthorn
