#include "tools/sink/policy.h"

#include <algorithm>

#include "engine/base/hash.h"

namespace posthorn::sink {

namespace {

const Reply kGreylisted{451, EnhancedCode{4, 7, 1}, "Greylisted, please try again later"};
const Reply kEnoughMessages{421, EnhancedCode{4, 7, 0},
                            "Too many messages on this connection, closing it"};

std::string_view domain_of(std::string_view address) {
    const std::size_t at = address.rfind('@');
    return at == std::string_view::npos ? "localhost" : address.substr(at + 1);
}

}  // namespace

// What holds of an entry at a time, its changes applied.
struct Policy::Rules {
    const Limits* limits;
    const std::vector<ReplyRule>* replies;
    const LatencyRange* latency;
};

Policy::Policy(Names& names, std::uint64_t seed, Instant start)
    : names_(names), seed_(seed), start_(start), random_(seed) {}

void Policy::opened(Talk& talk, Host& host) {
    talk.host = &host;
    host.traffic.connected();
}

void Policy::closed(Talk& talk) {
    talk.host->traffic.disconnected();
    if (talk.counted) --talk.host->group->connections;
    for (Domain* domain : talk.domains) domain->traffic.disconnected();
    talk.domains.clear();
    talk.counted = false;
}

Policy::Rules Policy::rules_of(const Entry& entry, Instant now) const {
    Rules rules{&entry.limits, &entry.replies, &entry.latency};
    for (const Change& change : entry.changes) {
        if (now - start_ < change.after) break;
        if (change.limits) rules.limits = &*change.limits;
        if (change.replies) rules.replies = &*change.replies;
        if (change.latency) rules.latency = &*change.latency;
    }
    return rules;
}

// Before a recipient is named the host speaks, afterwards the domain.
const Entry& Policy::entry_of(const Talk& talk, Place place) const {
    const bool of_domain = place >= Place::kRcpt && talk.domain;
    return of_domain ? *talk.domain->entry : *talk.host->entry;
}

Decision Policy::asked(Talk& talk, Place place, std::string_view argument, Instant now) {
    if (place == Place::kMail) talk.sender_hash = hash64(argument);
    if (place == Place::kRcpt) note_recipient(talk, argument, now);
    const Entry& entry = entry_of(talk, place);
    const Rules rules = rules_of(entry, now);
    Decision decision;
    decision.fault = draw_fault(entry, place);
    decision.delay = draw_delay(*rules.latency);
    if (decision.fault && decision.fault->kind == FaultKind::kTarpit)
        decision.delay += decision.fault->delay;

    if (over_limit(talk, place, rules, now)) {
        decision.reply = &rules.limits->over;
    } else if (place == Place::kMail && rules.limits->messages_per_connection > 0 &&
               talk.messages >= rules.limits->messages_per_connection) {
        decision.reply = &kEnoughMessages;
    } else if (place == Place::kRcpt && greylisted(talk, argument, entry.greylist, now)) {
        decision.reply = &kGreylisted;
    } else if (const ReplyRule* rule = draw_reply(*rules.replies, place, argument)) {
        decision.reply = &rule->reply;
        decision.has_holes = rule->has_holes;
        decision.close = rule->close;
    }
    if (decision.reply && decision.reply->code == 421) decision.close = true;
    return decision;
}

bool Policy::over_limit(Talk& talk, Place place, const Rules& rules, Instant now) {
    const Limits& limits = *rules.limits;
    Group& group = place == Place::kRcpt ? *talk.domain->group : *talk.host->group;
    const bool looked_at =
        place == Place::kConnect || place == Place::kMail || place == Place::kRcpt;
    if (!looked_at) return false;
    if (now < group.penalty_end) return true;
    if (place == Place::kConnect) {
        if (limits.connections > 0 && group.connections >= limits.connections) return true;
        ++group.connections;
        talk.counted = true;
        return false;
    }
    if (place == Place::kMail || take_token(group, limits, now)) return false;
    group.penalty_end = now + limits.penalty;
    return true;
}

bool Policy::take_token(Group& group, const Limits& limits, Instant now) {
    if (!limits.rate) return true;
    const Rate& rate = *limits.rate;
    const auto most = static_cast<double>(
        std::max<std::uint64_t>(1, limits.burst > 0 ? limits.burst : rate.count));
    const double gained = static_cast<double>((now - group.filled).count()) *
                          static_cast<double>(rate.count) /
                          static_cast<double>(rate.window.count());
    group.tokens = group.tokens < 0 ? most : std::min(most, group.tokens + gained);
    group.filled = now;
    if (group.tokens < 1) return false;
    group.tokens -= 1;
    return true;
}

void Policy::note_recipient(Talk& talk, std::string_view address, Instant now) {
    const std::string_view name = domain_of(address);
    if (!talk.domain || talk.domain->name != name) talk.domain = &names_.domain(name);
    talk.domain->traffic.recipient_asked(now);
    talk.host->traffic.recipient_asked(now);
    auto& domains = talk.domains;
    if (!domains.empty() && domains.back() == talk.domain) return;
    if (domains.size() >= kDomainsPerTalkMax) return;
    if (std::find(domains.begin(), domains.end(), talk.domain) != domains.end()) return;
    domains.push_back(talk.domain);
    talk.domain->traffic.connected();
}

bool Policy::greylisted(const Talk& talk, std::string_view recipient, Duration wait, Instant now) {
    if (wait == Duration(0)) return false;
    const std::uint64_t pair = hash64(recipient, talk.sender_hash);
    const auto seen = first_seen_.find(pair);
    if (seen != first_seen_.end()) return now - seen->second < wait;
    if (first_seen_.size() >= kGreylistMax) return false;
    first_seen_.emplace(pair, now);
    return true;
}

const ReplyRule* Policy::draw_reply(const std::vector<ReplyRule>& replies, Place place,
                                    std::string_view argument) {
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const ReplyRule& rule = replies[i];
        if (rule.place != place) continue;
        if (rule.share >= 1) return &rule;
        if (!rule.sticky) {
            if (random_.chance(rule.share)) return &rule;
            continue;
        }
        lower_.assign(argument);
        std::transform(lower_.begin(), lower_.end(), lower_.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        });
        const std::uint64_t drawn = hash64(lower_, seed_ ^ (0xd1342543de82ef95u * (i + 1)));
        if (static_cast<double>(drawn >> 11) * 0x1p-53 < rule.share) return &rule;
    }
    return nullptr;
}

const Fault* Policy::draw_fault(const Entry& entry, Place place) {
    for (const Fault& fault : entry.faults)
        if (fault.place == place && (fault.share >= 1 || random_.chance(fault.share)))
            return &fault;
    return nullptr;
}

const Fault* Policy::body_begun(const Talk& talk) {
    return draw_fault(entry_of(talk, Place::kBody), Place::kBody);
}

void Policy::recipient_accepted(Talk& talk, std::string_view recipient) {
    const std::string_view name = domain_of(recipient);
    const bool same = talk.domain && talk.domain->name == name;
    Domain& domain = same ? *talk.domain : names_.domain(name);
    ++domain.traffic.accepted;
    ++talk.host->traffic.accepted;
}

Duration Policy::draw_delay(const LatencyRange& latency) {
    if (latency.high == Duration(0)) return Duration(0);
    return Duration(random_.between(latency.low.count(), latency.high.count()));
}

}  // namespace posthorn::sink
